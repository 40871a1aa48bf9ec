// Inference in overlapping windows, blended by a weight map.
// Sources: monai/inferers/utils.py (sliding_window_inference), monai/data/utils.py (dense_patch_slices,
// compute_importance_map), NV-Generate-CTMR scripts/utils.py (dynamic_infer).
//
// The result is another function than the network on the whole input: every window has group norms of its own.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace voldiff {

using Extents = std::array<std::int64_t, 3>;

struct SlidingWindowOptions {
    Extents roi_size{80, 80, 80};
    std::array<double, 3> overlap{0.4, 0.4, 0.4};  // share of a window that it has in common with the next, [0, 1)
    std::string mode = "gaussian";                 // or "constant"
    std::array<double, 3> sigma_scale{0.125, 0.125, 0.125};
    std::int64_t sw_batch_size = 1;
    std::int64_t multiple = 1;  // the distance between windows is one of it: a network's downsampling
};

using Predictor = std::function<at::Tensor(const at::Tensor& window)>;
using WindowProgress = std::function<void(std::size_t done, std::size_t all)>;

// The distance between windows on each axis.
Extents scan_interval(const Extents& image_size, const Extents& roi_size, const std::array<double, 3>& overlap);

// Where the windows start, last axis fastest.
std::vector<Extents> dense_patch_starts(const Extents& image_size, const Extents& roi_size, const Extents& interval);

// The weight of each voxel of a window, [D, H, W], float32. Throws Error(config) for an unknown mode.
at::Tensor importance_map(const Extents& patch_size, const std::string& mode, const std::array<double, 3>& sigma_scale);

// x [N, C, D, H, W] -> the blended outputs of `predictor`, which may have other channels and larger extents.
// Throws Error(config) where an overlap is outside [0, 1).
at::Tensor sliding_window_inference(const at::Tensor& x, const SlidingWindowOptions& options,
                                    const Predictor& predictor, const WindowProgress& progress = {});

// NV-Generate's rule: one call on the whole input where it has no more voxels than a window; otherwise windows, none
// larger than the input.
at::Tensor dynamic_infer(const at::Tensor& x, SlidingWindowOptions options, const Predictor& predictor,
                         const WindowProgress& progress = {});

}  // namespace voldiff

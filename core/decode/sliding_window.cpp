#include "core/decode/sliding_window.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_upsample_nearest_exact3d.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

namespace voldiff {

namespace {

Extents extents_of(const at::Tensor& x) { return {x.size(2), x.size(3), x.size(4)}; }

std::int64_t product(const Extents& extents) { return extents[0] * extents[1] * extents[2]; }

// Zero padding up to the window, smaller half first. Last axis first, as constant_pad_nd wants it.
std::array<std::int64_t, 6> padding_to(const Extents& size, const Extents& roi) {
    std::array<std::int64_t, 6> padding{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::int64_t missing = std::max<std::int64_t>(roi[axis] - size[axis], 0);
        padding[2 * (2 - axis)] = missing / 2;
        padding[2 * (2 - axis) + 1] = missing - missing / 2;
    }
    return padding;
}

// The part of `whole` that a window at `start` covers; `zoom` is output extent / window extent.
at::Tensor window_of(const at::Tensor& whole, const Extents& start, const Extents& roi,
                     const std::array<double, 3>& zoom) {
    at::Tensor part = whole;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const auto begin = static_cast<std::int64_t>(static_cast<double>(start[axis]) * zoom[axis]);
        const auto end = static_cast<std::int64_t>(static_cast<double>(start[axis] + roi[axis]) * zoom[axis]);
        part = part.slice(static_cast<std::int64_t>(axis) + 2, begin, end);
    }
    return part;
}

void check_overlap(const std::array<double, 3>& overlap) {
    for (const double share : overlap) {
        if (share >= 0 && share < 1) continue;
        throw Error(ErrorCode::config,
                    "sliding window: the overlap is " + std::to_string(share) + ", expected at least 0 and below 1");
    }
}

// Sums weighted window outputs and their weights. The type is the input's, as in MONAI.
class Blender {
  public:
    Blender(const at::Tensor& input, const Extents& roi, const SlidingWindowOptions& options)
        : roi_(roi),
          image_size_(extents_of(input)),
          weight_(importance_map(roi, options.mode, options.sigma_scale)
                      .to(input.options())
                      .view({1, 1, roi[0], roi[1], roi[2]})) {}

    void add(const at::Tensor& output, const Extents& start, std::int64_t sample, std::int64_t samples) {
        if (!sum_.defined()) allocate(output, samples);
        window_of(sum_.slice(0, sample, sample + 1), start, roi_, zoom_).add_(output * weight_);
        if (sample == 0) window_of(count_, start, roi_, zoom_).add_(weight_);
    }

    at::Tensor result() { return sum_.div_(count_); }

  private:
    void allocate(const at::Tensor& output, std::int64_t samples) {
        const Extents size = extents_of(output);
        std::vector<std::int64_t> shape{samples, output.size(1)};
        for (std::size_t axis = 0; axis < 3; ++axis) {
            zoom_[axis] = static_cast<double>(size[axis]) / static_cast<double>(roi_[axis]);
            shape.push_back(static_cast<std::int64_t>(static_cast<double>(image_size_[axis]) * zoom_[axis]));
        }
        if (size != roi_) weight_ = at::_upsample_nearest_exact3d(weight_, {size[0], size[1], size[2]});
        sum_ = at::zeros(shape, weight_.options());
        count_ = at::zeros({1, 1, shape[2], shape[3], shape[4]}, weight_.options());
    }

    Extents roi_;
    Extents image_size_;
    std::array<double, 3> zoom_{1, 1, 1};
    at::Tensor weight_;
    at::Tensor sum_;
    at::Tensor count_;
};

// Cuts the padding off the output. MONAI's rule: the output's extent over the window's is the zoom.
at::Tensor without_padding(at::Tensor y, const std::array<std::int64_t, 6>& padding, const Extents& size,
                           const Extents& roi) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const auto dim = static_cast<std::int64_t>(axis) + 2;
        const double zoom = static_cast<double>(y.size(dim)) / static_cast<double>(roi[axis]);
        const auto before = static_cast<double>(padding[2 * (2 - axis)]);
        const auto begin = static_cast<std::int64_t>(std::nearbyint(before * zoom));
        const auto end = static_cast<std::int64_t>(std::nearbyint((before + static_cast<double>(size[axis])) * zoom));
        y = y.slice(dim, begin, end);
    }
    return y;
}

}  // namespace

Extents scan_interval(const Extents& image_size, const Extents& roi_size, const std::array<double, 3>& overlap) {
    Extents interval{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const auto moved = static_cast<std::int64_t>(static_cast<double>(roi_size[axis]) * (1 - overlap[axis]));
        interval[axis] = roi_size[axis] == image_size[axis] ? roi_size[axis] : std::max<std::int64_t>(moved, 1);
    }
    return interval;
}

std::vector<Extents> dense_patch_starts(const Extents& image_size, const Extents& roi_size, const Extents& interval) {
    std::array<std::vector<std::int64_t>, 3> starts;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::int64_t last = std::max<std::int64_t>(image_size[axis] - roi_size[axis], 0);
        std::int64_t start = 0;
        for (; start < last; start += interval[axis]) starts[axis].push_back(start);
        starts[axis].push_back(last);
    }
    std::vector<Extents> all;
    for (const std::int64_t i : starts[0]) {
        for (const std::int64_t j : starts[1]) {
            for (const std::int64_t k : starts[2]) all.push_back({i, j, k});
        }
    }
    return all;
}

at::Tensor importance_map(const Extents& patch_size, const std::string& mode,
                          const std::array<double, 3>& sigma_scale) {
    if (mode == "constant") return at::ones({patch_size[0], patch_size[1], patch_size[2]});
    if (mode != "gaussian") {
        throw Error(ErrorCode::config, "sliding window: unknown mode '" + mode + "', expected gaussian or constant");
    }
    at::Tensor map = at::ones({1, 1, 1});
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const auto size = static_cast<double>(patch_size[axis]);
        const double sigma = size * sigma_scale[axis];
        const at::Tensor x = at::arange(-(size - 1) / 2.0, (size - 1) / 2.0 + 1, at::kFloat);
        std::vector<std::int64_t> shape{1, 1, 1};
        shape[axis] = patch_size[axis];
        map = map * at::exp(x.pow(2) / (-2 * sigma * sigma)).view(shape);
    }
    // A corner may not vanish, or nothing would be left to divide by.
    return map.clamp_min(std::max(map.min().item<double>(), 1e-3));
}

at::Tensor sliding_window_inference(const at::Tensor& x, const SlidingWindowOptions& options,
                                    const Predictor& predictor, const WindowProgress& progress) {
    check_overlap(options.overlap);
    const Extents size = extents_of(x);
    Extents roi = options.roi_size;
    for (std::size_t axis = 0; axis < 3; ++axis) roi[axis] = roi[axis] > 0 ? roi[axis] : size[axis];
    const std::array<std::int64_t, 6> padding = padding_to(size, roi);
    const at::Tensor padded = at::constant_pad_nd(x, padding);
    Extents interval = scan_interval(extents_of(padded), roi, options.overlap);
    for (std::int64_t& distance : interval)
        distance = std::max(distance / options.multiple, std::int64_t{1}) * options.multiple;
    const std::vector<Extents> starts = dense_patch_starts(extents_of(padded), roi, interval);

    Blender blender(padded, roi, options);
    const std::size_t all = starts.size() * static_cast<std::size_t>(x.size(0));
    const auto batch = static_cast<std::size_t>(std::max<std::int64_t>(options.sw_batch_size, 1));
    for (std::size_t first = 0; first < all; first += batch) {
        const std::size_t last = std::min(first + batch, all);
        std::vector<at::Tensor> windows;
        for (std::size_t i = first; i < last; ++i) {
            const auto sample = static_cast<std::int64_t>(i / starts.size());
            windows.push_back(
                window_of(padded.slice(0, sample, sample + 1), starts[i % starts.size()], roi, {1, 1, 1}));
        }
        const at::Tensor outputs = predictor(windows.size() == 1 ? windows.front() : at::cat(windows));
        for (std::size_t i = first; i < last; ++i) {
            const auto row = static_cast<std::int64_t>(i - first);
            blender.add(outputs.slice(0, row, row + 1), starts[i % starts.size()],
                        static_cast<std::int64_t>(i / starts.size()), x.size(0));
        }
        if (progress) progress(last, all);
    }
    return without_padding(blender.result(), padding, size, roi);
}

at::Tensor dynamic_infer(const at::Tensor& x, SlidingWindowOptions options, const Predictor& predictor,
                         const WindowProgress& progress) {
    const Extents size = extents_of(x);
    if (product(size) <= product(options.roi_size)) return predictor(x);
    for (std::size_t axis = 0; axis < 3; ++axis) options.roi_size[axis] = std::min(options.roi_size[axis], size[axis]);
    return sliding_window_inference(x, options, predictor, progress);
}

}  // namespace voldiff

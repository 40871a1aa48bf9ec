#include "core/anatomy/augmentation.h"

#include "core/anatomy/numpy_random.h"
#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <cmath>

namespace voldiff {

namespace {

// For each voxel of the result the voxel of `extent` that it takes: PyTorch's nearest interpolation (in float32) to
// `zoomed` voxels, then as many from the middle, or the outermost again.
at::Tensor zoomed_indices(std::int64_t extent, std::int64_t zoomed) {
    const std::int64_t first = zoomed >= extent ? zoomed / 2 - extent / 2 : -((extent - zoomed) / 2);
    const at::Tensor places = at::arange(first, first + extent, at::kLong).clamp(0, zoomed - 1);
    const float scale = static_cast<float>(extent) / static_cast<float>(zoomed);
    return (places.to(at::kFloat) * scale).floor().to(at::kLong).clamp_max(extent - 1);
}

}  // namespace

at::Tensor zoom_labels(const at::Tensor& labels, double factor) {
    at::Tensor result = labels;
    for (std::int64_t axis = 0; axis < 3; ++axis) {
        const std::int64_t extent = labels.size(axis);
        const double zoomed = std::floor(static_cast<double>(extent) * factor);
        if (!(zoomed >= 1) || zoomed > 1e9)
            throw Error(ErrorCode::config, "a zoom by " + std::to_string(factor) + " leaves " + std::to_string(extent) +
                                               " voxels no useful size; expected about 1");
        result = result.index_select(axis, zoomed_indices(extent, static_cast<std::int64_t>(zoomed)));
    }
    return result;
}

at::Tensor augment_body(const at::Tensor& labels, std::uint32_t seed) {
    NumpyRandom random(seed);
    random.uniform();  // the reference draws first whether to zoom at all, with probability 1
    return zoom_labels(labels, random.uniform(0.99, 1.01));
}

}  // namespace voldiff

// Small label volumes for the tests of anatomy.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <cstdint>

namespace voldiff {

inline at::Tensor empty_labels(std::int64_t x, std::int64_t y, std::int64_t z, at::ScalarType type = at::kInt) {
    return at::zeros({x, y, z}, type);
}

// Gives the voxels from `first` to `last`, both included, the value.
inline void fill_box(at::Tensor& labels, at::IntArrayRef first, at::IntArrayRef last, std::int64_t value) {
    at::Tensor box = labels;
    for (std::size_t axis = 0; axis < 3; ++axis)
        box = box.narrow(static_cast<std::int64_t>(axis), first[axis], last[axis] - first[axis] + 1);
    box.fill_(value);
}

inline std::int64_t voxels_of(const at::Tensor& labels, std::int64_t value) {
    return (labels == value).sum().item<std::int64_t>();
}

}  // namespace voldiff

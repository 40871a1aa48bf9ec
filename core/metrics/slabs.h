// Volumes in pieces, so that a metric in double precision needs memory for a piece only. Internal to core/metrics.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace voldiff::metrics {

constexpr std::int64_t slab_values = 4 << 20;

// Planes of the first axis that hold about `slab_values`, at least one.
std::int64_t planes_of_slab(const at::Tensor& volume);

// Calls `see` with the same piece of `a` and of `b` after one another along the first axis: double and contiguous.
// Throws Error(config) where the shapes differ or there is no voxel.
void for_each_slab(const at::Tensor& a, const at::Tensor& b,
                   const std::function<void(const at::Tensor&, const at::Tensor&)>& see);

}  // namespace voldiff::metrics

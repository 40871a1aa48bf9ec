#include "core/ops/upsample.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/upsample_nearest3d.h>
#include <ATen/ops/upsample_trilinear3d.h>

namespace voldiff::ops {

namespace {

std::vector<std::int64_t> doubled_extents(const at::Tensor& x) { return {2 * x.size(2), 2 * x.size(3), 2 * x.size(4)}; }

}  // namespace

at::Tensor upsample_nearest_2x(const at::Tensor& x) { return at::upsample_nearest3d(x, doubled_extents(x)); }

at::Tensor upsample_trilinear_2x(const at::Tensor& x) {
    return at::upsample_trilinear3d(x, doubled_extents(x), /*align_corners=*/false, 2.0, 2.0, 2.0);
}

at::Tensor average_pool_2x(const at::Tensor& x) { return at::avg_pool3d(x, 2, 2); }

}  // namespace voldiff::ops

#include "core/ops/upsample.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/upsample_nearest3d.h>
#include <ATen/ops/upsample_trilinear3d.h>
#include <ATen/ops/zeros.h>

namespace voldiff::ops {

namespace {

std::vector<std::int64_t> doubled_extents(const at::Tensor& x) { return {2 * x.size(2), 2 * x.size(3), 2 * x.size(4)}; }

// LibTorch 1.13 resamples half precision on a GPU only; elsewhere in float32 and back.
template <class Resample>
at::Tensor in_supported_type(const at::Tensor& x, const Resample& resample) {
    const bool half = x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
    if (!half || !x.device().is_cpu()) return resample(x);
    return resample(x.to(at::kFloat)).to(x.scalar_type());
}

}  // namespace

at::Tensor upsample_nearest_2x(const at::Tensor& x) {
    return in_supported_type(x, [](const at::Tensor& y) { return at::upsample_nearest3d(y, doubled_extents(y)); });
}

at::Tensor upsample_trilinear_2x(const at::Tensor& x) {
    return in_supported_type(x, [](const at::Tensor& y) {
        return at::upsample_trilinear3d(y, doubled_extents(y), /*align_corners=*/false, 2.0, 2.0, 2.0);
    });
}

at::Tensor upsample_zeros_2x(const at::Tensor& x) {
    at::Tensor y = at::zeros({x.size(0), x.size(1), 2 * x.size(2), 2 * x.size(3), 2 * x.size(4)}, x.options());
    at::Tensor even = y;
    for (const std::int64_t axis : {2, 3, 4}) even = even.slice(axis, 0, even.size(axis), 2);
    even.copy_(x);
    return y;
}

at::Tensor upsample_2x(const at::Tensor& x, Upsampling kind) {
    switch (kind) {
        case Upsampling::nearest:
            return upsample_nearest_2x(x);
        case Upsampling::trilinear:
            return upsample_trilinear_2x(x);
        case Upsampling::zeros:
            return upsample_zeros_2x(x);
        case Upsampling::none:
            break;
    }
    return x;
}

at::Tensor average_pool_2x(const at::Tensor& x) {
    return in_supported_type(x, [](const at::Tensor& y) { return at::avg_pool3d(y, 2, 2); });
}

}  // namespace voldiff::ops

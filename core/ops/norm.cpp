#include "core/ops/norm.h"

#include "core/ops/kernels/norm_kernels.h"
#include "core/ops/volumes.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/group_norm.h>

namespace voldiff::ops {

namespace {

at::Tensor normalised(const at::Tensor& x, const GroupNormParameters& norm, bool silu) {
    const at::Tensor input = channels_last(x);
    at::Tensor y = empty_volume(x.sizes(), x);
    for (std::int64_t n = 0; n < x.size(0); ++n) {
        const ChannelAffine affine = norm_of_volume(input, n, norm);
        normalise_volume(volume(input, n), x.numel() / (x.size(0) * x.size(1)), x.size(1), affine, silu, volume(y, n));
    }
    return y;
}

}  // namespace

at::Tensor group_norm(const at::Tensor& x, const GroupNormParameters& norm) {
    if (x.dim() == 5 && for_own_kernels(x)) return normalised(x, norm, false);
    return at::group_norm(x, norm.groups, norm.weight, norm.bias, norm.eps);
}

at::Tensor group_norm_silu(const at::Tensor& x, const GroupNormParameters& norm) {
    if (x.dim() == 5 && for_own_kernels(x)) return normalised(x, norm, true);
    at::Tensor y = group_norm(x, norm);
    return at::silu_(y);
}

}  // namespace voldiff::ops

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
    // Under autocast x may be narrower than the weights: LibTorch widens it on a GPU, on a CPU not in every release.
    return at::group_norm(x.to(norm.weight.scalar_type()), norm.groups, norm.weight, norm.bias, norm.eps);
}

at::Tensor group_norm_float16(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight,
                              const at::Tensor& bias, double eps) {
    // In MAISI's own steps: another rounding in float32 now and then ends in the neighbouring float16.
    const at::Tensor values = x.to(at::kFloat).reshape({x.size(0), groups, -1});
    const at::Tensor deviation = values.var(-1, /*unbiased=*/false, /*keepdim=*/true).add_(eps).sqrt_();
    at::Tensor y = ((values - values.mean(-1, /*keepdim=*/true)) / deviation).to(at::kHalf).view(x.sizes());
    std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
    shape[1] = x.size(1);
    return y.mul_(weight.view(shape)).add_(bias.view(shape));
}

at::Tensor group_norm_silu(const at::Tensor& x, const GroupNormParameters& norm) {
    if (x.dim() == 5 && for_own_kernels(x)) return normalised(x, norm, true);
    at::Tensor y = group_norm(x, norm);
    return at::silu_(y);
}

}  // namespace voldiff::ops

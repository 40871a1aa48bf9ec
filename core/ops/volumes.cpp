#include "core/ops/volumes.h"

#include "core/ops/conv_policy.h"
#include "core/ops/kernels/buffer.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <memory>

namespace voldiff::ops {

bool for_own_kernels(const at::Tensor& x) { return x.numel() > 0 && for_own_kernels(x.options()); }

bool for_own_kernels(const at::TensorOptions& options) {
    return own_kernels() && options.device().is_cpu() && options.dtype() == at::kFloat &&
           tile_kernels(ConvVariant::direct).lanes > 1;
}

at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast3d); }

at::Tensor empty_volume(at::IntArrayRef shape, const at::Tensor& like) {
    const auto memory = std::make_shared<Buffer>(static_cast<std::size_t>(c10::multiply_integers(shape)));
    const std::int64_t c = shape[1];
    const std::int64_t row = shape[4] * c;
    const std::int64_t plane = shape[3] * row;
    return at::from_blob(
        memory->data(), shape, {shape[2] * plane, 1, plane, row, c}, [memory](void*) {},
        like.options().memory_format(c10::nullopt));
}

float* volume(const at::Tensor& x, std::int64_t n) { return x.data_ptr<float>() + n * x.numel() / x.size(0); }

ChannelAffine norm_of_volume(const at::Tensor& x, std::int64_t n, const GroupNormParameters& norm) {
    const std::int64_t voxels = x.size(2) * x.size(3) * x.size(4);
    const at::Tensor weight = norm.weight.contiguous();
    const at::Tensor bias = norm.bias.contiguous();
    return group_norm_affine(moments_of(volume(x, n), voxels, x.size(1)), norm.groups, weight.data_ptr<float>(),
                             bias.data_ptr<float>(), norm.eps);
}

}  // namespace voldiff::ops

#include "core/ops/volumes.h"

#include "core/ops/conv_policy.h"
#include "core/ops/kernels/buffer.h"
#include "core/ops/kernels/parallel.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
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

at::Tensor join_channels(const at::Tensor& x, const at::Tensor& y) {
    if (!for_own_kernels(x) || !for_own_kernels(y)) return at::cat({x, y}, 1);
    const at::Tensor left = channels_last(x);
    const at::Tensor right = channels_last(y);
    at::Tensor both = empty_volume({x.size(0), x.size(1) + y.size(1), x.size(2), x.size(3), x.size(4)}, x);
    const std::int64_t width = x.size(4);
    parallel_each(both.numel() / both.size(1) / width, [&](std::int64_t row, std::int64_t) {
        const float* a = volume(left, 0) + row * width * left.size(1);
        const float* b = volume(right, 0) + row * width * right.size(1);
        float* out = volume(both, 0) + row * width * both.size(1);
        for (std::int64_t i = 0; i < width; ++i, a += left.size(1), b += right.size(1)) {
            out = std::copy_n(a, left.size(1), out);
            out = std::copy_n(b, right.size(1), out);
        }
    });
    return both;
}

float* volume(const at::Tensor& x, std::int64_t n) { return x.data_ptr<float>() + n * x.numel() / x.size(0); }

ChannelAffine norm_of_moments(const ChannelMoments& moments, const GroupNormParameters& norm) {
    const at::Tensor weight = norm.weight.contiguous();
    const at::Tensor bias = norm.bias.contiguous();
    return group_norm_affine(moments, norm.groups, weight.data_ptr<float>(), bias.data_ptr<float>(), norm.eps);
}

ChannelAffine norm_of_volume(const at::Tensor& x, std::int64_t n, const GroupNormParameters& norm) {
    return norm_of_moments(moments_of(volume(x, n), x.size(2) * x.size(3) * x.size(4), x.size(1)), norm);
}

}  // namespace voldiff::ops

#include "core/ops/conv_libtorch.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/conv_transpose3d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mkldnn_convolution.h>

#include <algorithm>
#include <array>

namespace voldiff::ops {

namespace {

using Triple = std::array<std::int64_t, 3>;
constexpr Triple ones{1, 1, 1};

// LibTorch sends small inputs to a slow kernel of its own; oneDNN is faster from 8^3 voxels at 64 channels on.
bool prefers_onednn(const at::Tensor& x, const at::Tensor& weight) {
    return x.device().is_cpu() && x.scalar_type() == at::kFloat && at::hasMKLDNN() && weight.size(2) == 3 &&
           x.numel() >= 64 * 8 * 8 * 8;
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const Triple& stride,
                    const Triple& padding) {
    if (prefers_onednn(x, weight)) {
        return at::mkldnn_convolution(x.contiguous(), weight, bias, padding, stride, ones, 1);
    }
    return at::conv3d(x, weight, bias, stride, padding, ones, 1);
}

// Values of an input from which it is cut into slabs, and those of a slab: oneDNN works on reordered copies of input
// and output, and a copy of everything would double the memory of the largest layers.
constexpr std::int64_t slab_from = 64 << 20;
constexpr std::int64_t slab_values = 16 << 20;

bool worth_slabs(const at::Tensor& x, const at::Tensor& weight, std::int64_t stride, std::int64_t padding) {
    return x.device().is_cpu() && x.size(0) == 1 && stride == 1 && weight.size(2) == 2 * padding + 1 &&
           x.numel() >= slab_from;
}

// The planes [begin, end) and `border` neighbours on either side, zero outside.
at::Tensor slab_with_border(const at::Tensor& x, std::int64_t begin, std::int64_t end, std::int64_t border) {
    const std::int64_t depth = x.size(2);
    const at::Tensor slab = x.slice(2, std::max<std::int64_t>(begin - border, 0), std::min(end + border, depth));
    const std::int64_t before = std::max<std::int64_t>(border - begin, 0);
    const std::int64_t after = std::max<std::int64_t>(end + border - depth, 0);
    return before + after > 0 ? at::constant_pad_nd(slab, {0, 0, 0, 0, before, after}) : slab.contiguous();
}

at::Tensor convolve_in_slabs(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                             std::int64_t padding) {
    const std::int64_t depth = x.size(2);
    const std::int64_t planes = std::max<std::int64_t>(1, slab_values / (x.numel() / depth));
    at::Tensor y = at::empty({1, weight.size(0), depth, x.size(3), x.size(4)}, x.options());
    for (std::int64_t begin = 0; begin < depth; begin += planes) {
        const std::int64_t end = std::min(begin + planes, depth);
        y.slice(2, begin, end)
            .copy_(convolve(slab_with_border(x, begin, end, padding), weight, bias, ones, {0, padding, padding}));
    }
    return y;
}

// Products of a slab of a transposed convolution.
constexpr std::int64_t products_at_once = 64 << 20;

// Whether the planes [2 begin, 2 end) of the output come from the planes [begin, end] of the input alone.
bool doubles(const at::Tensor& weight, std::int64_t stride, std::int64_t padding, std::int64_t output_padding) {
    const std::int64_t k = weight.size(2);
    return stride == 2 &&
           ((k == 3 && padding == 1 && output_padding == 1) || (k == 2 && padding == 0 && output_padding == 0));
}

}  // namespace

at::Tensor libtorch_conv3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                           std::int64_t padding) {
    if (worth_slabs(x, weight, stride, padding)) return convolve_in_slabs(x, weight, bias, padding);
    return convolve(x, weight, bias, {stride, stride, stride}, {padding, padding, padding});
}

at::Tensor libtorch_conv_transpose3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                     std::int64_t stride, std::int64_t padding, std::int64_t output_padding) {
    const auto whole = [&](const at::Tensor& part) {
        return at::conv_transpose3d(part, weight, bias, stride, padding, output_padding);
    };
    const std::int64_t depth = x.size(2);
    const std::int64_t products = weight.numel() / weight.size(0) * x.size(0) * x.size(3) * x.size(4);  // of a plane
    const std::int64_t planes = std::max<std::int64_t>(1, products_at_once / products);
    if (!x.device().is_cpu() || planes >= depth || !doubles(weight, stride, padding, output_padding)) return whole(x);
    at::Tensor y = at::empty({x.size(0), weight.size(1), 2 * depth, 2 * x.size(3), 2 * x.size(4)}, x.options());
    for (std::int64_t begin = 0; begin < depth; begin += planes) {
        const std::int64_t end = std::min(begin + planes, depth);
        const at::Tensor slab = whole(x.slice(2, begin, std::min(end + 1, depth)).contiguous());
        y.slice(2, 2 * begin, 2 * end).copy_(slab.slice(2, 0, 2 * (end - begin)));
    }
    return y;
}

}  // namespace voldiff::ops

#include "core/ops/conv.h"

#include <ATen/ATen.h>

namespace voldiff::ops {

namespace {

// LibTorch sends small inputs to a slow kernel of its own; oneDNN is faster from 8^3 voxels at 64 channels on.
bool prefers_onednn(const at::Tensor& x, const at::Tensor& weight) {
    return x.device().is_cpu() && x.scalar_type() == at::kFloat && at::hasMKLDNN() && weight.size(2) == 3 &&
           x.numel() >= 64 * 8 * 8 * 8;
}

}  // namespace

at::Tensor conv3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                  std::int64_t padding) {
    const std::vector<std::int64_t> strides(3, stride);
    const std::vector<std::int64_t> paddings(3, padding);
    const std::vector<std::int64_t> dilations(3, 1);
    if (prefers_onednn(x, weight)) {
        return at::mkldnn_convolution(x.contiguous(), weight, bias, paddings, strides, dilations, 1);
    }
    return at::conv3d(x, weight, bias, strides, paddings, dilations, 1);
}

at::Tensor conv_transpose3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                            std::int64_t padding, std::int64_t output_padding) {
    return at::conv_transpose3d(x, weight, bias, stride, padding, output_padding);
}

}  // namespace voldiff::ops

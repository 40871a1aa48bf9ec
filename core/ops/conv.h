// Convolutions of the blocks. The one place that decides how a convolution is computed.
#pragma once

#include <ATen/core/Tensor.h>

namespace voldiff::ops {

// x [N, C, D, H, W], weight [K, C, k, k, k], bias [K] -> [N, K, D', H', W'], zero padding on both sides.
at::Tensor conv3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                  std::int64_t padding);

// The transpose of a convolution. weight [C, K, k, k, k].
at::Tensor conv_transpose3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                            std::int64_t padding, std::int64_t output_padding);

}  // namespace voldiff::ops

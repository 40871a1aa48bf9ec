// Convolutions by LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

namespace voldiff::ops {

// As ops::conv3d. Large inputs go through in slabs, since oneDNN works on reordered copies.
at::Tensor libtorch_conv3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                           std::int64_t padding);

// As ops::conv_transpose3d. Large outputs of a doubling convolution are made in slabs: LibTorch lays out all products
// of an input voxel before it adds them up, 14 GB where MAISI's masks are doubled to 256^3.
at::Tensor libtorch_conv_transpose3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                     std::int64_t stride, std::int64_t padding, std::int64_t output_padding);

}  // namespace voldiff::ops

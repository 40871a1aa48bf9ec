// Convolutions by LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

namespace voldiff::ops {

// As ops::conv3d. Large inputs go through in slabs, since oneDNN works on reordered copies.
at::Tensor libtorch_conv3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                           std::int64_t padding);

}  // namespace voldiff::ops

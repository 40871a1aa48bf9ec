// What differs between the LibTorch versions that voldiff builds with (1.13 to 2.x): the only file with #if on them.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace voldiff::compat {

// LibTorch's own memory-efficient attention (from 2.1 on), or nothing. Shapes as in ops::attention.
std::optional<at::Tensor> scaled_dot_product_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                                       double scale);

}  // namespace voldiff::compat

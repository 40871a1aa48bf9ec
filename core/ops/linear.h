// Linear layers.
#pragma once

#include "core/ops/packed_weights.h"

#include <ATen/core/Tensor.h>

namespace voldiff::ops {

// x [..., C], weight [K, C], bias [K] or undefined -> [..., K].
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, PackedWeights& packed);

}  // namespace voldiff::ops

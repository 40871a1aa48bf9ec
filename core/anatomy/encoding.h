// Labels as the ControlNet takes them: one channel a bit.
// Source: NV-Generate-CTMR scripts/utils.py (binarize_labels).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace voldiff {

// labels [N, 1, X, Y, Z], any integer type -> [N, bits, X, Y, Z], uint8, 0 or 1. Channel b is bit b, the least
// significant first: 200 is channels 3, 6 and 7. Higher bits are lost, so with 8 of them 401 is the same as 145.
// Throws Error(internal) for another shape.
at::Tensor binarize_labels(const at::Tensor& labels, std::int64_t bits = 8);

}  // namespace voldiff

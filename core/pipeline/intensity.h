// From what the decoder gives to image intensities.
// Source: NV-Generate-CTMR scripts/diff_model_infer.py (run_inference).
#pragma once

#include <ATen/core/Tensor.h>

namespace voldiff {

// Class labels below are CT, the others MR.
constexpr std::int64_t first_mr_modality = 8;

// decoded [1, 1, X, Y, Z], 0..1 -> [X, Y, Z], float32. CT: HU, clipped to [-1000, 1000]; MR: times 1000, clipped below
// at 0.
at::Tensor to_intensity(const at::Tensor& decoded, std::int64_t modality);

// Truncated toward zero, as the reference's cast; values are clipped to the range of int16 first.
at::Tensor to_int16(const at::Tensor& intensity);

}  // namespace voldiff

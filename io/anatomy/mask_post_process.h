// Cleaning up a mask that the mask generator made.
// Source: NV-Generate-CTMR scripts/utils.py (general_mask_generation_post_process).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace voldiff {

// generated [X, Y, Z], MAISI's values, of a type that holds 200 -> the same. `target` is the tumour that was asked for
// (23 lung, 24 pancreas, 26 liver, 27 colon, 128 bone, 129 kidney): its holes are closed; other tumours become their
// organ. The body and each organ keep their largest part, what is cut off becomes body (200), and organs grow into
// gaps.
//
// Quirks of the reference, kept: hepatic vessels (25) become liver and airways (132) return at the end wherever the
// input had them, also outside the cleaned body; a target tumour returns in the same way, but the liver's does not.
at::Tensor clean_generated_mask(const at::Tensor& generated, std::optional<std::int64_t> target);

}  // namespace voldiff

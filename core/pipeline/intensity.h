// Image intensities and what the autoencoder works with, both ways.
// Sources: NV-Generate-CTMR scripts/diff_model_infer.py (run_inference), scripts/transforms.py
// (define_fixed_intensity_transform).
#pragma once

#include <ATen/core/Tensor.h>

namespace voldiff {

// Class labels below are CT, the others MR.
constexpr std::int64_t first_mr_modality = 8;

// The intensities that are 0 and 1 to the autoencoder.
struct IntensityRange {
    double lower = -1000;  // HU, or MR units; nothing is below it
    double upper = 1000;
    bool is_most = true;  // nothing is above `upper`
};

// Of the images that are made without one to start from. CT: -1000..1000 HU; MR: 0..1000 and above.
IntensityRange made_range(std::int64_t modality);

// Of a volume to encode. CT: -1000..1000 HU; MR: from its least value to its percentile 99.5 and above.
// Throws Error(config) for an MR volume where these are the same, Error(numerical) where a value is not finite.
IntensityRange range_of(const at::Tensor& volume, std::int64_t modality);

// [X, Y, Z] of any type -> float32, 0..1 (and above, where `upper` is not the most).
at::Tensor from_intensity(const at::Tensor& volume, const IntensityRange& range);

// decoded [1, 1, X, Y, Z], 0..1 -> [X, Y, Z], float32, in the range.
at::Tensor to_intensity(const at::Tensor& decoded, const IntensityRange& range);

// Truncated toward zero, as the reference's cast; values are clipped to the range of int16 first.
at::Tensor to_int16(const at::Tensor& intensity);

}  // namespace voldiff

// Zeros around an image, so that the autoencoder can halve it.
// Source: monai/transforms/croppad/array.py (DivisiblePad).
#pragma once

#include "core/decode/sliding_window.h"

#include <ATen/core/Tensor.h>

namespace voldiff {

// Each extent rounded up to a multiple.
Extents padded_size(const Extents& size, std::int64_t multiple);

// Voxels before the image on each axis; the rest, the larger half, comes behind it.
Extents padding_before(const Extents& size, const Extents& padded);

// x [..., X, Y, Z] of `size` -> of `padded`, zeros around.
at::Tensor pad_to(const at::Tensor& x, const Extents& padded);

// The inverse: the middle of x.
at::Tensor crop_to(const at::Tensor& x, const Extents& size);

}  // namespace voldiff

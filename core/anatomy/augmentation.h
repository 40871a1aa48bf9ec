// Small changes of a library's mask, so that it does not give the same body twice. Masks with tumours are not covered:
// the reference moves and deforms the tumour instead.
// Source: NV-Generate-CTMR scripts/augmentation.py (augmentation_body), MONAI transforms RandZoom, Zoom.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace voldiff {

// labels [X, Y, Z] -> the same size, made larger or smaller by `factor` around the centre by nearest neighbour,
// cropped, or padded with the labels at the border. Throws Error(config) unless every axis keeps a voxel.
at::Tensor zoom_labels(const at::Tensor& labels, double factor);

// Zoomed by 0.99 to 1.01; `seed` gives the reference's factor.
at::Tensor augment_body(const at::Tensor& labels, std::uint32_t seed);

}  // namespace voldiff

// Masks on another grid: by nearest neighbour, then padded or cropped around the centre.
// Source: NV-Generate-CTMR scripts/sample.py (LDMSampler.ensure_output_size_and_spacing), MONAI transforms Spacing,
// ResizeWithPadOrCrop.
#pragma once

#include "io/volume/volume.h"

namespace voldiff {

// The axes keep their directions and the first voxel its place; the extent of an axis is round((n - 1) * old / new +
// 1). A spacing within 0.001 mm of the volume's counts as the volume's, and that axis stays as it is.
//
// Here LibTorch selects voxels and not ITK, since half way between two voxels the one that the reference's grid_sample
// takes is wanted: the even one, unless rounding decided before. (PyTorch on a CPU took the upper one until 1.13.)
// Throws Error(config) for a spacing that is not a positive number, and for a volume without voxels.
Volume resample_nearest(const Volume& volume, const std::array<double, 3>& spacing);

// Cropped and padded (with 0) around the centre; of an odd rest the larger half is padded at the end.
Volume pad_or_crop(const Volume& volume, const std::array<std::int64_t, 3>& size);

// Both: `size` voxels of `spacing` mm.
Volume fit_mask(const Volume& volume, const std::array<std::int64_t, 3>& size, const std::array<double, 3>& spacing);

}  // namespace voldiff

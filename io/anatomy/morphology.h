// Growing and shrinking masks by boxes.
// Source: NV-Generate-CTMR scripts/utils.py (dilate_one_img, erode_one_img, organ_fill_by_closing,
// organ_fill_by_removed_mask).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace voldiff {

// What the voxels beyond the volume's border count as.
enum class Beyond { background, foreground };

// mask [X, Y, Z], boolean -> the same. The box has `size` voxels a side. Throws Error(internal) unless `size` is odd.
at::Tensor dilate(const at::Tensor& mask, std::int64_t size, Beyond beyond = Beyond::background);
at::Tensor erode(const at::Tensor& mask, std::int64_t size, Beyond beyond = Beyond::foreground);

// Where `labels` [X, Y, Z] has the label, with holes and gaps closed: dilated and eroded by 3 voxels, twice. Beyond the
// border is background for the erosion too, so that an organ at the border loses a layer there each time.
at::Tensor closed_organ(const at::Tensor& labels, std::int64_t label);

// Where `allowed` [X, Y, Z], boolean, is no further than three voxels (along each axis) from the label.
at::Tensor near_organ(const at::Tensor& labels, std::int64_t label, const at::Tensor& allowed);

}  // namespace voldiff

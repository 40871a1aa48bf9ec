// The grids that the CT networks were trained on, for masks that come on another.
// Source: NV-Generate-CTMR scripts/infer_image_from_mask.py (_is_valid_target, _suggest_valid_target).
#pragma once

#include <array>
#include <cstdint>

namespace voldiff {

struct ImageGrid {
    std::array<std::int64_t, 3> size{};  // voxels, x y z
    std::array<double, 3> spacing{};     // mm
};

// x and y alike, of 256, 384 or 512 voxels and 0.5 to 3 mm; z of 128, 256, 384, 512, 640 or 768 voxels and 0.5 to 5 mm.
bool is_ct_grid(const ImageGrid& grid);

// The nearest such grid: the nearest number of voxels (of x and y their mean; the smaller of equals), and the spacing
// that keeps the field of view as far as its range allows.
ImageGrid nearest_ct_grid(const ImageGrid& grid);

}  // namespace voldiff

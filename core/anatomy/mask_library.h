// Choosing masks from a library by what they show.
// Source: NV-Generate-CTMR scripts/find_masks.py (find_masks), scripts/sample.py (LDMSampler.find_closest_masks).
#pragma once

#include "core/anatomy/body_region.h"
#include "core/anatomy/image_grid.h"

#include <optional>
#include <vector>

namespace voldiff {

struct LibraryMask {
    std::string file;                  // "pseudo_label_filename", relative to the library
    std::vector<std::int64_t> labels;  // values that occur in it
    ImageGrid grid;
    std::optional<BodyRegions> regions;  // what it shows; absent in libraries for networks without region inputs
};

struct MaskWish {
    std::vector<std::int64_t> regions;  // `body_region_index`; all have to be within what the mask shows
    std::vector<std::int64_t> labels;   // all have to occur
};

// The masks that have all that is wished for, and no tumour (23, 24, 26, 27, 128) that is not. In their order.
std::vector<LibraryMask> masks_with(const std::vector<LibraryMask>& library, const MaskWish& wish);

// Those of `masks` whose grid is not too coarse for `grid` (128 voxels fewer on an axis, or more), the most alike
// first: by field of view / 10 mm, voxels / 100 and spacing / 1 mm, all axes added up.
std::vector<LibraryMask> nearest_first(const std::vector<LibraryMask>& masks, const ImageGrid& grid);

}  // namespace voldiff

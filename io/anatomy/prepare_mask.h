// A user's mask, made ready for the networks.
// Source: NV-Generate-CTMR scripts/infer_image_from_mask.py (validate_user_mask).
#pragma once

#include "core/anatomy/labels.h"
#include "io/volume/volume.h"

#include <vector>

namespace voldiff {

// One label before and after. Voxels of both are of different size; the volumes compare.
struct LabelChange {
    std::int64_t label;
    std::int64_t voxels_before;
    std::int64_t voxels_after;
    double volume_before;  // mm^3
    double volume_after;

    bool vanished() const { return voxels_after == 0; }
    double lost() const { return volume_before - volume_after; }  // mm^3; below zero where it grew
};

struct PreparedMask {
    Volume mask;                       // in RAS, of the size and spacing asked for
    std::vector<LabelChange> changes;  // every label but the background, in order of the values
};

// Reorients to RAS, resamples by nearest neighbour, pads or crops around the centre (io/anatomy/resample.h). A mask
// that fits already keeps its voxels. `size` voxels of `spacing` mm. Throws Error(config) for voxels that are no whole
// numbers and for a size or spacing that is not positive, Error(numerical) for an affine without directions.
PreparedMask prepare_mask(const Volume& mask, const std::array<std::int64_t, 3>& size,
                          const std::array<double, 3>& spacing);

// The labels that resampling and cropping took away altogether.
std::vector<std::int64_t> vanished_labels(const PreparedMask& prepared);

}  // namespace voldiff

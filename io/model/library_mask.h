// Masks of a library, as MAISI's: a folder, and a JSON list of what its masks show.
// Source: NV-Generate-CTMR scripts/sample.py (LDMSampler.sample_multiple_images, find_closest_masks, select_mask).
#pragma once

#include "io/model/mask_source.h"

namespace voldiff {

// Masks that have the run's body regions and anatomy, and no other tumour: those of its size and spacing; where there
// are none, of the others the five most alike that keep the anatomy when they are resampled. A seed decides which of
// them, and how it is augmented (`mask.augment`).
//
// Unlike the reference, which wants as many masks as volumes, a mask may serve for several volumes, each time augmented
// with another seed. Throws Error(config) where there is none.
std::unique_ptr<MaskSource> make_library_mask(const RunConfig& run);

}  // namespace voldiff

// Masks that the networks of masks make, for sizes of organs and tumours.
// Source: NV-Generate-CTMR scripts/sample.py (LDMSampler.prepare_one_mask_and_meta_info), scripts/sample_mask.py.
#pragma once

#include "io/model/mask_source.h"

namespace voldiff {

// Classes of `generate_mask_classes` -> MAISI's labels, cleaned up, on the run's size and spacing. What the networks
// make has voxels of 1.5 mm. Throws Error(config) for a table of sizes that is none.
std::unique_ptr<MaskSource> make_generated_mask(const RunConfig& run);

}  // namespace voldiff

// Which part of the body a mask shows, as the networks with region inputs are told.
// Source: NV-Generate-CTMR scripts/utils.py (get_body_region_index_from_mask), scripts/find_masks.py
// (convert_body_region).
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string>

namespace voldiff {

// Head and neck, thorax, abdomen, pelvis and lower: one of four set to 1.
using RegionIndex = std::array<double, 4>;

struct BodyRegions {
    RegionIndex top;     // the highest region that the mask shows
    RegionIndex bottom;  // the lowest
};

// Brain (22) or skull (120) show the head; a lung lobe (28-32) the thorax; liver, spleen, pancreas, a kidney (1-5, 14)
// the abdomen; a hip (93, 94) the pelvis. Nothing else counts.
// Throws Error(config) where the mask has none of these.
BodyRegions body_regions_of(const at::Tensor& labels);

// "head" 0; "chest", "thorax" or "chest/thorax" 1; "abdomen" 2; "pelvis", "lower" or "pelvis/lower" 3, in any case.
// Throws Error(config), with the names, for another.
std::int64_t body_region_index(const std::string& name);

}  // namespace voldiff

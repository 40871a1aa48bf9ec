// What the networks were trained for, so what may be asked of them.
// Source: NV-Generate-CTMR scripts/sample_mask.py (check_input_ct, check_input_mr).
#pragma once

#include "core/anatomy/label_table.h"
#include "core/anatomy/size_condition.h"

#include <array>

namespace voldiff {

struct AnatomyRequest {
    std::vector<std::string> body_region;
    std::vector<std::string> anatomy_list;
    std::array<std::int64_t, 3> output_size;  // voxels, x y z
    std::array<double, 3> spacing;            // mm
    // None and an empty list differ: regions and anatomy are looked at for the empty list only.
    std::optional<std::vector<AnatomySize>> controllable_anatomy_size;
};

// Throws Error(config) that tells everything that is wrong, a line each: up to 10 sizes from 0 to 1, or -1; no anatomy
// twice; one tumour.
void check_anatomy_sizes(const std::vector<AnatomySize>& sizes);

// Throw Error(config) that tells everything that is wrong, a line each.
// CT: x and y alike, of 256, 384, 512 voxels; z of 128 to 768 in steps of 128; 0.5-3 mm in plane, 0.5-5 mm across;
// 256 mm of field of view in x. Up to 10 sizes from 0 to 1, or -1; no anatomy twice; one tumour.
void check_ct_request(const AnatomyRequest& request, const LabelTable& table);
// MR: [n, n, 128] with n of 128, 256, 384, 512, or [128, 256, 256], [256, 128, 256], [256, 256, 256]; 0.4-5 mm.
void check_mr_request(const AnatomyRequest& request, const LabelTable& table);

}  // namespace voldiff

// The body label (200) for a segmentation of organs, found from the CT it was made of.
// Source: NV-Generate-CTMR scripts/utils.py (add_body_envelope).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace voldiff {

struct BodyEnvelopeOptions {
    double air_below = -800;       // HU
    std::int64_t closing = 3;      // voxels, the box that closes small gaps
    std::int64_t bed_cleanup = 5;  // voxels, the box that parts the body from the bed
    // Air within the body whose parts are at least `table_fraction` of it is the table, and taken out again. Only where
    // the lungs are labelled: their air would go as well.
    bool remove_table = true;
    double table_fraction = 0.05;
};

// labels [X, Y, Z] and ct [X, Y, Z] in HU on one grid -> labels, in which every voxel of the body that had none has
// 200. The body is what the largest connected air is not: closed, parted from the bed, its largest part. Labels given
// stay. Throws Error(config) where the two differ in size.
at::Tensor add_body_envelope(const at::Tensor& labels, const at::Tensor& ct, const BodyEnvelopeOptions& options = {});

// The share of the labelled voxels that lie in the air around the body, lungs and airways left out (their air may be
// connected with it): near 0 where labels and CT belong together. Throws as above.
double share_outside_body(const at::Tensor& labels, const at::Tensor& ct, const BodyEnvelopeOptions& options = {});

}  // namespace voldiff

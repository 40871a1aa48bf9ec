#include "io/anatomy/prepare_mask.h"

#include "io/anatomy/resample.h"
#include "io/volume/orientation.h"

#include <ATen/core/Tensor.h>

#include <cmath>

namespace voldiff {

namespace {

// mm^3, also of voxels that are no boxes.
double voxel_volume(const Affine& a) {
    return std::abs(a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) -
                    a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
                    a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]));
}

std::vector<LabelChange> changes_between(const Volume& before, const Volume& after) {
    const double old_voxel = voxel_volume(before.affine);
    const double new_voxel = voxel_volume(after.affine);
    const LabelCounts kept = count_labels(after.voxels);
    std::vector<LabelChange> changes;
    for (const auto& [value, voxels] : count_labels(before.voxels)) {
        if (value == label::background) continue;
        const auto found = kept.find(value);
        const std::int64_t left = found == kept.end() ? 0 : found->second;
        changes.push_back(
            {value, voxels, left, static_cast<double>(voxels) * old_voxel, static_cast<double>(left) * new_voxel});
    }
    return changes;
}

}  // namespace

PreparedMask prepare_mask(const Volume& mask, const std::array<std::int64_t, 3>& size,
                          const std::array<double, 3>& spacing) {
    const Volume labels{as_labels(mask.voxels), mask.affine};
    const Volume fitted = fit_mask(to_ras(labels), size, spacing);
    return {fitted, changes_between(labels, fitted)};
}

std::vector<std::int64_t> vanished_labels(const PreparedMask& prepared) {
    std::vector<std::int64_t> labels;
    for (const LabelChange& change : prepared.changes)
        if (change.vanished()) labels.push_back(change.label);
    return labels;
}

}  // namespace voldiff

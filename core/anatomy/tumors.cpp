#include "core/anatomy/tumors.h"

#include "core/anatomy/labels.h"
#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/where.h>

#include <algorithm>

namespace voldiff {

namespace {

const LabelPairs organ_of_tumor = {{label::hepatic_tumor, label::liver},
                                   {label::pancreatic_tumor, label::pancreas},
                                   {label::colon_cancer, label::colon},
                                   {116, label::left_kidney},
                                   {117, label::right_kidney}};
const LabelPairs brain_of_tumor = {{401, label::brain}, {402, label::brain}, {403, label::brain}, {176, label::brain}};
const std::vector<std::int64_t> lesions = {label::lung_tumor, label::bone_lesion, 401, 402, 403, 176};

// The voxels that touch the mask with a face, edge or corner, and the mask; and the volume's border.
at::Tensor grown_with_border(const at::Tensor& mask) {
    at::Tensor grown = mask;
    for (std::int64_t axis = 0; axis < 3; ++axis) {  // a box grows axis by axis
        const at::Tensor before = grown;
        const std::int64_t steps = before.size(axis) - 1;
        grown = before.clone();
        grown.narrow(axis, 0, steps).logical_or_(before.narrow(axis, 1, steps));
        grown.narrow(axis, 1, steps).logical_or_(before.narrow(axis, 0, steps));
    }
    for (std::int64_t axis = 0; axis < 3; ++axis) {
        grown.select(axis, 0).fill_(true);
        grown.select(axis, -1).fill_(true);
    }
    return grown;
}

// The commonest lobe among `voxels`, the smallest of equals, and how many have it.
std::pair<std::int64_t, std::int64_t> commonest_lobe(const at::Tensor& voxels) {
    std::pair<std::int64_t, std::int64_t> best{label::lung_lobes().front(), 0};
    for (const std::int64_t lobe : label::lung_lobes()) {
        const auto count = where_label(voxels, lobe).sum().item<std::int64_t>();
        if (count > best.second) best = {lobe, count};
    }
    return best;
}

at::Tensor lung_tumor_to_lobe(const at::Tensor& labels) {
    const at::Tensor tumor = where_label(labels, label::lung_tumor);
    if (!tumor.any().item<bool>()) return labels;
    const at::Tensor around = labels.masked_select(grown_with_border(tumor));  // the tumour is no lobe: it has no vote
    const auto [lobe, votes] = commonest_lobe(around);
    return labels.masked_fill(tumor, votes > 0 ? lobe : commonest_lobe(labels).first);
}

void check_volume(const at::Tensor& labels) {
    if (labels.dim() != 3) throw Error(ErrorCode::internal, "labels to take tumours from are not [X, Y, Z]");
}

}  // namespace

at::Tensor remove_tumors(const at::Tensor& labels) {
    check_volume(labels);
    return replace_labels(lung_tumor_to_lobe(replace_labels(labels, organ_of_tumor)), brain_of_tumor);
}

at::Tensor remove_tumors(const at::Tensor& labels, const at::Tensor& pseudo_labels) {
    check_volume(labels);
    if (labels.sizes() != pseudo_labels.sizes())
        throw Error(ErrorCode::config, "the labels and the pseudo labels differ in size; expected one grid for both");
    at::Tensor healthy = replace_labels(labels, organ_of_tumor);
    for (const std::int64_t lesion : lesions)  // one after the other: a pseudo label may itself be a later lesion
        healthy = at::where(where_label(healthy, lesion), pseudo_labels.to(healthy.scalar_type()), healthy);
    return healthy;
}

}  // namespace voldiff

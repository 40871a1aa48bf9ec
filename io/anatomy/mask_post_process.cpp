#include "io/anatomy/mask_post_process.h"

#include "core/anatomy/labels.h"
#include "io/anatomy/components.h"
#include "io/anatomy/morphology.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>

namespace voldiff {

namespace {

using Target = std::optional<std::int64_t>;

const LabelPairs organ_around_tumor = {{label::lung_tumor, 28},
                                       {label::pancreatic_tumor, label::pancreas},
                                       {label::hepatic_tumor, label::liver},
                                       {label::colon_cancer, label::colon},
                                       {label::bone_lesion, label::body}};

// In the reference's order: each is filled into what those before it left.
std::vector<std::int64_t> organs_in_one_part(const Target& target) {
    std::vector<std::int64_t> organs = {1, 4, 10, 12, 3, 28, 29, 30, 31, 32, 5, 14, 13, 6, 7, 8, 9, 10};
    if (target == label::bone_lesion) return organs;
    for (std::int64_t bone = 33; bone < 60; ++bone) organs.push_back(bone);
    return organs;
}

// What the clean-up took away, for the target tumour to grow into.
struct Removed {
    at::Tensor organs;
    at::Tensor intestine;
};

void close_gaps(at::Tensor& labels, std::int64_t organ, int times = 1) {
    for (int i = 0; i < times; ++i) labels.masked_fill_(closed_organ(labels, organ), organ);
}

void grow(at::Tensor& labels, std::int64_t organ, const at::Tensor& allowed) {
    labels.masked_fill_(near_organ(labels, organ, allowed), organ);
}

at::Tensor body_of_mask(const at::Tensor& labels) {
    return dilate(suppress_small_components(erode(labels > 0, 3, Beyond::background), {1}).labels, 3);
}

void clean_tumors(at::Tensor& labels, const Target& target) {
    for (const auto& [tumor, organ] : organ_around_tumor) {
        if (tumor == target) {
            close_gaps(labels, tumor, 2);
        } else {
            labels.masked_fill_(where_label(labels, tumor), organ);
        }
    }
    const bool may_be_many = target == label::hepatic_tumor || target == label::bone_lesion;
    if (target && !may_be_many) labels = suppress_small_components(labels, {*target}, label::body).labels;
}

// Small bowel and colon that hang on nothing become body. Returns where.
at::Tensor cut_loose_intestine(at::Tensor& labels) {
    const at::Tensor intestine =
        where_label(labels, {label::stomach, label::duodenum, label::small_bowel, label::colon});
    const at::Tensor kept = suppress_small_components(intestine, {1}).labels;
    at::Tensor loose = where_label(labels, {label::small_bowel, label::colon}).logical_and_(kept.logical_not());
    labels.masked_fill_(loose, label::body);
    return loose;
}

// The commonest label around `tumor`, the smallest of equals.
Target commonest_around(const at::Tensor& labels, const at::Tensor& tumor, const at::Tensor& grown) {
    LabelCounts counts = count_labels(labels.masked_select(grown.logical_and(tumor.logical_not())));
    counts.erase(label::background);
    const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
    const auto most = std::max_element(counts.begin(), counts.end(), fewer);
    return most == counts.end() ? Target() : Target(most->first);
}

void fit_lung_tumor(at::Tensor& labels, const Removed& removed) {
    const auto& lobes = label::lung_lobes();
    const at::Tensor tumor = where_label(labels, label::lung_tumor);
    at::Tensor around = dilate(tumor, 3);
    const Target neighbour = commonest_around(labels, tumor, around);
    if (neighbour && std::find(lobes.begin(), lobes.end(), *neighbour) != lobes.end()) {
        around = dilate(around, 3);
        grow(labels, *neighbour, around.logical_and(tumor.logical_not()));
    }
    grow(labels, label::lung_tumor, dilate(around, 3).logical_and_(removed.organs));
    for (const std::int64_t lobe : lobes) close_gaps(labels, lobe, 3);
}

void grow_tumor(at::Tensor& labels, std::int64_t tumor, const Removed& removed) {
    grow(labels, tumor, dilate(where_label(labels, tumor), 5).logical_and_(removed.organs));  // 5: twice by 3
}

void fit_hepatic_tumor(at::Tensor& labels, const Removed& removed) {
    for (int i = 0; i < 2; ++i) grow(labels, label::liver, removed.intestine);
    for (int i = 0; i < 2; ++i) grow(labels, label::spleen, removed.organs);
    grow_tumor(labels, label::hepatic_tumor, removed);
    close_gaps(labels, label::liver, 3);
}

void fit_target(at::Tensor& labels, std::int64_t target, const Removed& removed) {
    if (target == label::lung_tumor) fit_lung_tumor(labels, removed);
    if (target == label::hepatic_tumor) fit_hepatic_tumor(labels, removed);
    if (target == label::colon_cancer) grow_tumor(labels, target, removed);
    if (target == label::kidney_tumor)
        for (const std::int64_t kidney : {label::right_kidney, label::left_kidney}) close_gaps(labels, kidney, 3);
}

}  // namespace

at::Tensor clean_generated_mask(const at::Tensor& generated, std::optional<std::int64_t> target) {
    const std::vector<std::int64_t> organs = organs_in_one_part(target);
    at::Tensor labels = generated.masked_fill(body_of_mask(generated).logical_not(), label::background);
    clean_tumors(labels, target);

    const at::Tensor whole = labels;
    labels = suppress_small_components(labels, organs, label::body).labels;
    Removed removed{whole != labels, {}};
    removed.intestine = cut_loose_intestine(labels);
    for (const std::int64_t organ : organs) close_gaps(labels, organ);

    const at::Tensor tumor = where_label(whole, target.value_or(-1));
    const bool has_tumor = target && tumor.any().item<bool>();
    if (has_tumor) fit_target(labels, *target, removed);
    labels.masked_fill_(where_label(generated, label::hepatic_vessel), label::liver);
    labels.masked_fill_(where_label(generated, label::airway), label::airway);
    // The reference multiplies the liver's tumour with a mask that is always empty.
    if (has_tumor && target != label::hepatic_tumor) labels.masked_fill_(tumor, *target);
    return labels;
}

}  // namespace voldiff

#include "io/anatomy/tumor_augmentation.h"

#include "core/anatomy/augmentation.h"
#include "core/anatomy/deformation.h"
#include "core/anatomy/labels.h"
#include "core/anatomy/tumors.h"
#include "core/error.h"
#include "io/anatomy/morphology.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/where.h>

namespace voldiff {

namespace {

constexpr int most_tries = 1000;
constexpr double pi = 3.14159265358979323846;

std::vector<std::int64_t> bones() {
    std::vector<std::int64_t> labels = {114, 127};
    for (std::int64_t label = 33; label <= 56; ++label) labels.push_back(label);
    for (std::int64_t label = 63; label <= 97; ++label) labels.push_back(label);
    return labels;
}

// How one kind of tumour may move.
struct TumorKind {
    std::string name;
    std::vector<std::int64_t> tumors;
    std::int64_t filled_with;          // what takes the tumour's place; 0: the lobe around it
    std::vector<std::int64_t> organs;  // where it may go, besides its place; empty: the whole body
    bool closes_organ;                 // gaps in the organ count as organ
    DeformationRanges ranges;
    double kept;        // part of the tumour that must lie within the organ
    int tries;          // at that part
    double kept_later;  // after these
    bool stays_later;   // after these the tumour stays in its place
};

// In the order in which they are looked for.
const std::vector<TumorKind>& tumor_kinds() {
    const auto small_turn = std::array<double, 3>{pi / 36, pi / 36, pi / 36};
    const auto same = [](double range) { return std::array<double, 3>{range, range, range}; };
    static const std::vector<TumorKind> kinds = {
        {"bone lesion",
         {label::bone_lesion},
         label::body,
         bones(),
         false,
         {{0, 0, 0.1}, {5, 5, 0}, {0.15, 0.15, 0}, false},
         0.8,
         40,
         0.75,
         false},
        {"hepatic tumor",
         {label::hepatic_tumor},
         label::liver,
         {label::liver},
         true,
         {small_turn, same(10), same(0.2)},
         0.8,
         most_tries,
         0.8,
         false},
        {"lung tumor",
         {label::lung_tumor},
         0,
         label::lung_lobes(),
         true,
         {{pi / 36, pi / 36, pi}, same(20), same(0.15)},
         0.85,
         most_tries,
         0.85,
         false},
        {"pancreatic tumor",
         {label::pancreatic_tumor},
         label::pancreas,
         {label::pancreas},
         true,
         {small_turn, same(15), same(0.1)},
         0.8,
         most_tries,
         0.8,
         false},
        {"colon cancer",
         {label::colon_cancer},
         label::colon,
         {label::colon},
         true,
         {small_turn, same(5), same(0.1)},
         0.8,
         20,
         0.75,
         true},
        {"brain tumor",
         {401, 402, 403},
         label::brain,
         {},
         true,
         {same(pi / 90), same(3), same(0.2)},
         0.8,
         most_tries,
         0.8,
         false},
    };
    return kinds;
}

// Gaps of up to two voxels closed; beyond the border counts as the mask, as in the reference.
at::Tensor closed(const at::Tensor& mask) { return erode(dilate(mask, 5, Beyond::foreground), 5, Beyond::foreground); }

// What the mask has where the tumour is taken away.
at::Tensor without_tumor(const at::Tensor& labels, const TumorKind& kind, const at::Tensor& tumor) {
    if (kind.filled_with != 0) return labels.masked_fill(tumor, kind.filled_with);
    return at::where(tumor, remove_tumors(labels), labels);
}

at::Tensor allowed_places(const at::Tensor& labels, const at::Tensor& filled, const TumorKind& kind,
                          const at::Tensor& tumor) {
    const at::Tensor organ = kind.organs.empty() ? labels.gt(0) : where_label(filled, kind.organs).logical_or(tumor);
    return kind.closes_organ ? closed(organ) : organ;
}

// The tumour (its labels, 0 elsewhere) at a new place.
class TumorMover {
  public:
    TumorMover(const TumorKind& kind, std::uint32_t seed) : kind_(kind), deform_(kind.ranges, seed) {}

    at::Tensor move(const at::Tensor& tumor, const at::Tensor& allowed) {
        const auto size = tumor.ne(0).sum().item<double>();
        for (int attempt = 0; attempt < most_tries; ++attempt) {
            const bool late = attempt >= kind_.tries;
            const at::Tensor moved = (late && kind_.stays_later ? tumor : deform_(tumor)).masked_fill(~allowed, 0);
            if (enough(moved, size * (late ? kind_.kept_later : kind_.kept))) return smoothed(moved);
        }
        throw Error(ErrorCode::config, "the " + kind_.name + " found no place within its organ in " +
                                           std::to_string(most_tries) +
                                           " tries; check the mask, or leave the augmentation out (mask.augment)");
    }

  private:
    // Quirk of the reference, kept: for brain tumours it adds up the labels, not the voxels.
    bool enough(const at::Tensor& moved, double wanted) const {
        const at::Tensor counted = kind_.tumors.size() > 1 ? moved : moved.ne(0);
        return counted.sum().item<double>() >= wanted;
    }

    // Closed, where it is of one label.
    at::Tensor smoothed(const at::Tensor& moved) const {
        const LabelCounts counts = count_labels(moved);
        if (counts.size() != 2 || counts.begin()->first != 0) return moved;
        return at::where(closed(moved.ne(0)), moved.max(), moved.new_zeros({}));
    }

    const TumorKind& kind_;
    RandomDeformation deform_;
};

at::Tensor move_tumor(const at::Tensor& labels, const TumorKind& kind, std::uint32_t seed) {
    const at::Tensor tumor = where_label(labels, kind.tumors);
    const at::Tensor filled = without_tumor(labels, kind, tumor);
    const at::Tensor allowed = allowed_places(labels, filled, kind, tumor);
    const at::Tensor moved = TumorMover(kind, seed).move(labels.masked_fill(~tumor, 0), allowed);
    return at::where(moved.ne(0), moved, filled);
}

}  // namespace

at::Tensor augment_mask(const at::Tensor& labels, std::uint32_t seed) {
    for (const TumorKind& kind : tumor_kinds()) {
        if (where_label(labels, kind.tumors).any().item<bool>()) return move_tumor(labels, kind, seed);
    }
    return augment_body(labels, seed);
}

}  // namespace voldiff

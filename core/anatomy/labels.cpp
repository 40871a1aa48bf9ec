#include "core/anatomy/labels.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>

#include <limits>

namespace voldiff {

namespace {

constexpr std::int64_t largest_span = 1000000;

bool type_holds(at::ScalarType type, std::int64_t value) {
    switch (type) {
        case at::kBool:
            return value == 0 || value == 1;
        case at::kByte:
            return value >= 0 && value <= 255;
        case at::kChar:
            return value >= -128 && value <= 127;
        case at::kShort:
            return value >= -32768 && value <= 32767;
        case at::kInt:
            return value >= std::numeric_limits<std::int32_t>::min() &&
                   value <= std::numeric_limits<std::int32_t>::max();
        default:
            return true;
    }
}

}  // namespace

const std::vector<std::int64_t>& label::lung_lobes() {
    static const std::vector<std::int64_t> lobes{28, 29, 30, 31, 32};
    return lobes;
}

LabelCounts count_labels(const at::Tensor& labels) {
    LabelCounts counts;
    if (labels.numel() == 0) return counts;
    const auto lowest = labels.min().item<std::int64_t>();
    const auto highest = labels.max().item<std::int64_t>();
    if (highest / 2 - lowest / 2 > largest_span / 2) {
        throw Error(ErrorCode::config, "the values run from " + std::to_string(lowest) + " to " +
                                           std::to_string(highest) + "; expected labels, found something else");
    }
    at::Tensor sums = at::zeros({highest - lowest + 1}, at::kLong);
    const at::Tensor slabs = labels.dim() == 0 ? labels.unsqueeze(0) : labels;
    for (const at::Tensor& slab : slabs.unbind())  // slab by slab: int64 of the whole volume would be large
        sums += at::bincount(slab.to(at::kLong).sub(lowest).flatten(), {}, sums.size(0));
    for (std::int64_t i = 0; i < sums.size(0); ++i) {
        const auto count = sums.data_ptr<std::int64_t>()[i];
        if (count > 0) counts[lowest + i] = count;
    }
    return counts;
}

at::Tensor as_labels(const at::Tensor& voxels) {
    if (!voxels.is_floating_point()) return voxels;
    const at::Tensor fits = (voxels == voxels.round()) & (voxels.abs() < 2147483648.0);
    const auto bad = fits.logical_not().sum().item<std::int64_t>();
    if (bad == 0) return voxels.to(at::kInt);
    throw Error(ErrorCode::config, std::to_string(bad) + " of " + std::to_string(voxels.numel()) +
                                       " voxels hold no whole number\nexpected a mask of integer labels; found an "
                                       "image, or a mask that was interpolated");
}

at::Tensor where_label(const at::Tensor& labels, std::int64_t value) {
    if (!type_holds(labels.scalar_type(), value)) return at::zeros_like(labels, at::kBool);
    return labels == value;
}

at::Tensor where_label(const at::Tensor& labels, const std::vector<std::int64_t>& values) {
    at::Tensor found = at::zeros_like(labels, at::kBool);
    for (const std::int64_t value : values) found.logical_or_(where_label(labels, value));
    return found;
}

at::Tensor replace_labels(const at::Tensor& labels, const LabelPairs& pairs) {
    at::Tensor replaced = labels.clone();
    for (const auto& [from, to] : pairs)
        if (from != to) replaced.masked_fill_(where_label(labels, from), to);
    return replaced;
}

at::Tensor keep_organs(const at::Tensor& labels, const std::vector<std::int64_t>& organs) {
    at::Tensor kept = at::zeros_like(labels, at::kLong);
    for (std::size_t i = organs.size(); i-- > 0;)
        kept.masked_fill_(where_label(labels, organs[i]), static_cast<std::int64_t>(i + 1));
    return kept;
}

at::Tensor with_even_background(const at::Tensor& image, const at::Tensor& labels, double value) {
    return image.masked_fill(where_label(labels, label::background), value);
}

}  // namespace voldiff

#include "core/anatomy/quality.h"

#include "core/anatomy/labels.h"
#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/isnan.h>

#include <algorithm>

namespace voldiff {

namespace {

std::vector<std::int64_t> bones() {
    std::vector<std::int64_t> values;
    for (std::int64_t vertebra = 33; vertebra <= 56; ++vertebra) values.push_back(vertebra);
    for (std::int64_t bone = 63; bone <= 97; ++bone) values.push_back(bone);
    for (const std::int64_t bone : {120, 122, 127}) values.push_back(bone);
    return values;
}

std::vector<std::int64_t> labels_of(const std::string& organ, const OrganLabels& organs) {
    const auto is_it = [&](const auto& entry) { return entry.first == organ; };
    const auto found = std::find_if(organs.begin(), organs.end(), is_it);
    return found == organs.end() ? std::vector<std::int64_t>{} : found->second;
}

// Of values without NaN, in their own type, as numpy's.
std::optional<double> median_of(const at::Tensor& values) {
    const std::int64_t count = values.numel();
    if (count == 0) return std::nullopt;
    const at::Tensor upper = std::get<0>(values.kthvalue(count / 2 + 1));
    if (count % 2 == 1) return upper.item<double>();
    return ((std::get<0>(values.kthvalue(count / 2)) + upper) / 2).item<double>();
}

}  // namespace

const OrganLabels& quality_organs() {
    // The reference's list of lobes ends "31, 31": the right lower lobe (32) does not count.
    static const OrganLabels organs = {{"liver", {1}},
                                       {"spleen", {3}},
                                       {"pancreas", {4}},
                                       {"kidney", {5, 14}},
                                       {"lung", {28, 29, 30, 31}},
                                       {"brain", {22}},
                                       {"hepatic tumor", {26}},
                                       {"bone lesion", {128}},
                                       {"lung tumor", {23}},
                                       {"colon cancer primaries", {27}},
                                       {"pancreatic tumor", {24}},
                                       {"bone", bones()}};
    return organs;
}

std::vector<OrganQuality> check_quality(const std::vector<MedianStatistics>& statistics, const at::Tensor& image,
                                        const at::Tensor& labels, const OrganLabels& organs) {
    if (image.sizes() != labels.sizes())
        throw Error(ErrorCode::config, "the image and its labels differ in size; expected one grid for both");
    const at::Tensor valid = at::isnan(image).logical_not();
    std::vector<OrganQuality> results;
    for (const MedianStatistics& known : statistics) {
        OrganQuality result;
        result.organ = known.organ;
        result.low = std::min(known.sigma_6_low, known.percentile_0_5);
        result.high = known.organ == "bone" ? 1000 : std::max(known.sigma_6_high, known.percentile_99_5);
        const at::Tensor voxels = where_label(labels, labels_of(known.organ, organs)).logical_and_(valid);
        result.median = median_of(image.masked_select(voxels));
        result.outlier = result.median && (*result.median < result.low || *result.median > result.high);
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace voldiff

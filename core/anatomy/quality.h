// Whether a generated CT looks like one: the median HU of organs against what real ones have.
// Source: NV-Generate-CTMR scripts/quality_check.py (is_outlier, get_masked_data), scripts/sample.py (label_int_dict),
// configs/image_median_statistics_ct.json.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace voldiff {

// Of the medians of one organ over real scans, in HU.
struct MedianStatistics {
    std::string organ;
    double sigma_6_low;  // mean minus and plus three standard deviations
    double sigma_6_high;
    double percentile_0_5;
    double percentile_99_5;
};

// The labels that make up an organ of the statistics.
using OrganLabels = std::vector<std::pair<std::string, std::vector<std::int64_t>>>;
const OrganLabels& quality_organs();

struct OrganQuality {
    std::string organ;
    bool outlier = false;
    std::optional<double> median;  // HU; none where the organ has no voxel, or NaN only
    double low = 0;                // HU, the wider of both statistics; bone's upper bound is always 1000
    double high = 0;
};

// image and labels [X, Y, Z]. One entry for each of the statistics, in their order. NaN voxels are left out; the median
// of an even number is the mean of the middle two. Throws Error(config) where image and labels differ in size.
std::vector<OrganQuality> check_quality(const std::vector<MedianStatistics>& statistics, const at::Tensor& image,
                                        const at::Tensor& labels, const OrganLabels& organs = quality_organs());

}  // namespace voldiff

// The tables of configs/labels. Source: NV-Generate-CTMR configs (see configs/labels/README.md).
#pragma once

#include "core/anatomy/label_table.h"
#include "core/anatomy/quality.h"

#include <filesystem>

namespace voldiff {

// Each throws Error(io) where the file cannot be read, Error(config), with line and column, where it is not of the
// form.

// labels/label_dict.json of `data_directory()`: {"liver": 1, ...}
LabelTable label_table();
// {"liver": [1, 1], "spleen": [2, 3], ...}: what the mask generator calls a label, and its value.
LabelPairs read_label_pairs(const std::filesystem::path& file);
// labels/image_median_statistics_ct.json of `data_directory()`, in HU.
std::vector<MedianStatistics> ct_median_statistics();

}  // namespace voldiff

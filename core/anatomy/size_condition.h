// How large organs and tumours shall be, as the mask generator is told.
// Source: NV-Generate-CTMR scripts/sample.py (LDMSampler.prepare_anatomy_size_condition), scripts/sample_mask.py
// (ldm_conditional_sample_one_mask).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace voldiff {

// A size from 0 (smallest) to 1 (largest), or -1 for absent.
struct AnatomySize {
    std::string anatomy;
    double size = -1;
};

// One size for each of `sizeable_anatomy()`.
using SizeCondition = std::array<double, 10>;

// gallbladder, liver, stomach, pancreas, colon; lung tumor, pancreatic tumor, hepatic tumor, colon cancer primaries,
// bone lesion.
const std::array<std::string, 10>& sizeable_anatomy();
constexpr std::size_t first_tumor_size = 5;

// The entry of `database` that is nearest to the requested sizes (sum of absolute differences over the requested
// anatomy, the first of equals), with the requested sizes written over it.
// Throws Error(config) for anatomy without a size, and for an empty database.
SizeCondition anatomy_size_condition(const std::vector<AnatomySize>& requested,
                                     const std::vector<SizeCondition>& database);

// The label of the tumour that a generated mask shall have: the last of the five whose size is not -1.
std::optional<std::int64_t> target_tumor(const SizeCondition& condition);

}  // namespace voldiff

#include "core/anatomy/body_region.h"

#include "core/anatomy/labels.h"
#include "core/error.h"
#include "core/text.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cctype>

namespace voldiff {

namespace {

const std::array<std::vector<std::int64_t>, 4>& labels_of_regions() {
    static const std::array<std::vector<std::int64_t>, 4> table = {
        {{22, 120}, {28, 29, 30, 31, 32}, {1, 2, 3, 4, 5, 14}, {93, 94}}};
    return table;
}

const std::vector<std::pair<std::string, std::int64_t>>& region_names() {
    static const std::vector<std::pair<std::string, std::int64_t>> table = {
        {"head", 0},    {"chest", 1},  {"thorax", 1}, {"chest/thorax", 1},
        {"abdomen", 2}, {"pelvis", 3}, {"lower", 3},  {"pelvis/lower", 3}};
    return table;
}

RegionIndex one_hot(std::size_t region) {
    RegionIndex index{0, 0, 0, 0};
    index[region] = 1;
    return index;
}

}  // namespace

BodyRegions body_regions_of(const at::Tensor& labels) {
    const LabelCounts counts = count_labels(labels);
    std::vector<std::size_t> shown;
    for (std::size_t region = 0; region < 4; ++region) {
        const auto& candidates = labels_of_regions()[region];
        const auto occurs = [&](std::int64_t value) { return counts.count(value) > 0; };
        if (std::any_of(candidates.begin(), candidates.end(), occurs)) shown.push_back(region);
    }
    if (shown.empty()) {
        throw Error(ErrorCode::config,
                    "the mask shows no body region: none of the labels 22, 120 (head), 28-32 (chest), 1-5, 14 "
                    "(abdomen), 93, 94 (pelvis) occurs\nexpected at least one of them; check the mask's label values");
    }
    return {one_hot(shown.front()), one_hot(shown.back())};
}

std::int64_t body_region_index(const std::string& name) {
    std::string wanted = name;
    std::transform(wanted.begin(), wanted.end(), wanted.begin(), [](unsigned char c) { return std::tolower(c); });
    std::vector<std::string> known;
    for (const auto& [region, index] : region_names()) {
        if (region == wanted) return index;
        known.push_back(region);
    }
    const std::string near = nearest(name, known);
    throw Error(ErrorCode::config, "unknown body region '" + name + "'" +
                                       (near.empty() ? "" : "; did you mean '" + near + "'?") +
                                       " (known: " + join(known) + ")");
}

}  // namespace voldiff

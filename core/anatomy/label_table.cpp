#include "core/anatomy/label_table.h"

#include "core/error.h"
#include "core/text.h"

#include <ATen/core/Tensor.h>

#include <algorithm>

namespace voldiff {

namespace {

constexpr std::size_t most_named = 10;

// Names with the word in them ("kidney": both kidneys), or the one with the fewest edits.
std::vector<std::string> names_like(const std::string& word, const LabelTable::Entries& entries) {
    std::vector<std::string> all;
    std::vector<std::string> containing;
    for (const auto& [name, value] : entries) {
        all.push_back(name);
        if (word.size() >= 3 && name.find(word) != std::string::npos) containing.push_back("'" + name + "'");
    }
    if (containing.size() > most_named) containing.resize(most_named);
    if (!containing.empty()) return containing;
    const std::string near = nearest(word, all);
    return near.empty() ? std::vector<std::string>{} : std::vector<std::string>{"'" + near + "'"};
}

}  // namespace

std::int64_t LabelTable::value(const std::string& name) const {
    const auto is_it = [&](const auto& entry) { return entry.first == name; };
    const auto found = std::find_if(entries_.begin(), entries_.end(), is_it);
    if (found != entries_.end()) return found->second;
    const std::vector<std::string> like = names_like(name, entries_);
    throw Error(ErrorCode::config, "unknown anatomy '" + name + "'" +
                                       (like.empty() ? "" : "; did you mean " + join(like, " or ") + "?") +
                                       "\nexpected one of the " + std::to_string(entries_.size()) +
                                       " names of the label table (labels/label_dict.json)");
}

std::optional<std::string> LabelTable::name(std::int64_t value) const {
    if (value == label::background) return "background";
    for (const auto& [name, entry] : entries_)
        if (entry == value) return name;
    return std::nullopt;
}

std::string LabelTable::describe(std::int64_t value) const {
    const auto known = name(value);
    return known ? *known + " (" + std::to_string(value) + ")" : std::to_string(value);
}

LabelCounts unknown_labels(const at::Tensor& labels, const LabelTable& table) {
    LabelCounts unknown;
    for (const auto& [value, voxels] : count_labels(labels))
        if (!table.name(value)) unknown[value] = voxels;
    return unknown;
}

void check_labels(const at::Tensor& labels, const LabelTable& table) {
    const LabelCounts unknown = unknown_labels(labels, table);
    if (unknown.empty()) return;
    std::vector<std::pair<std::int64_t, std::int64_t>> most(unknown.begin(), unknown.end());
    std::stable_sort(most.begin(), most.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    std::vector<std::string> named;
    for (const auto& [value, voxels] : most)
        if (named.size() < most_named) named.push_back(std::to_string(value) + " (" + std::to_string(voxels) + ")");
    throw Error(ErrorCode::config,
                "the mask has " + std::to_string(unknown.size()) + " label values that are not in the label table: " +
                    join(named) + (unknown.size() > named.size() ? ", ..." : "") +
                    " (voxels)\nexpected values of labels/label_dict.json (1-132, 200) and 0; map the others first");
}

}  // namespace voldiff

// Names of label values, and whether a mask uses the values that the networks know.
// Source: NV-Generate-CTMR configs/label_dict.json, scripts/infer_image_from_mask.py (validate_user_mask).
#pragma once

#include "core/anatomy/labels.h"

#include <optional>
#include <string>

namespace voldiff {

class LabelTable {
  public:
    using Entries = std::vector<std::pair<std::string, std::int64_t>>;  // name and value, in the order of the file
    explicit LabelTable(Entries entries) : entries_(std::move(entries)) {}

    const Entries& entries() const { return entries_; }
    // Throws Error(config), with the names nearest to it, for a name that is not in the table.
    std::int64_t value(const std::string& name) const;
    // The name, or none for a value that is not in the table ("background" is 0).
    std::optional<std::string> name(std::int64_t value) const;
    // "liver (1)", or "301" where the value has no name.
    std::string describe(std::int64_t value) const;

  private:
    Entries entries_;
};

// The values of `labels` that are neither 0 nor in the table, and how many voxels have each.
LabelCounts unknown_labels(const at::Tensor& labels, const LabelTable& table);

// Throws Error(config), naming the unknown values (the ten with most voxels) and their voxels, where there are any.
void check_labels(const at::Tensor& labels, const LabelTable& table);

}  // namespace voldiff

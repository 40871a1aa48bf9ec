// The two JSON files that come with MAISI's mask library.
#pragma once

#include "core/anatomy/mask_library.h"
#include "core/anatomy/size_condition.h"

#include <filesystem>

namespace voldiff {

// A list of {"pseudo_label_filename", "label_list", "dim", "spacing"} and, where there are any, "top_region_index" and
// "bottom_region_index" (NV-Generate-CTMR's database.json).
// Throws Error(io) where the file cannot be read, Error(config), with the number of the entry, for another form.
std::vector<LibraryMask> read_mask_library(const std::filesystem::path& file);

// A list of {"organ_size": ten numbers} (all_anatomy_size_conditions.json). Throws as above.
std::vector<SizeCondition> read_size_conditions(const std::filesystem::path& file);

}  // namespace voldiff

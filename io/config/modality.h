// Names of modalities and the class labels that the networks were trained with.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace voldiff {

// {"ct", 1}, {"mri_t1", 9}, ...; from labels/modality_mapping.json of `data_directory()`, in the order of the file.
// Throws Error(io) where it cannot be read, Error(config) where it is no map of integers.
std::vector<std::pair<std::string, std::int64_t>> modality_table();

// The code of a name, or the code itself ("9", any integer from 0, with no look at the table).
// Throws Error(config), with the nearest name and the list, for anything else.
std::int64_t modality_code(const std::string& name_or_code);

}  // namespace voldiff

// Files of somebody else's list of runs stay inside the folder that the user chose.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace voldiff {

// The folder `directory` (of a config) in `root`; one that is absolute has to lie inside too. Throws Error(config) for
// a folder outside, by name ("..") or by a symbolic link that is there now.
std::filesystem::path folder_inside(const std::filesystem::path& root, const std::string& directory);

// To be called before the writing: throws Error(io) where one of the files (empty ones aside) is a symbolic link or
// lies in a folder outside `root` by now.
void check_files_inside(const std::filesystem::path& root, const std::vector<std::filesystem::path>& files);

}  // namespace voldiff

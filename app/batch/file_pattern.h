// Names with wildcards, as masks/*.nii.gz.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace voldiff {

bool has_wildcard(const std::string& text);  // '*', '?' or '['

// The files that a pattern names, sorted by name; wildcards (fnmatch, so names with a leading dot need one) stand in
// the last part only, so that a pattern reads one folder. Throws Error(config) for wildcards elsewhere, Error(io) where
// the folder cannot be read, where no file fits, and for a folder of more than 100000 entries.
std::vector<std::filesystem::path> matching_files(const std::filesystem::path& pattern);

}  // namespace voldiff

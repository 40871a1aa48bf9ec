// Fingerprints of files, for the record of a run.
#pragma once

#include <filesystem>
#include <string>

namespace voldiff {

// SHA-256 of the content, 64 lower-case hexadecimal digits. Throws Error(io) where the file cannot be opened.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace voldiff

// Fingerprints of files, for the record of a run.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace voldiff {

// SHA-256 of the content, 64 lower-case hexadecimal digits. Throws Error(io) where the file cannot be opened.
std::string sha256_of_file(const std::filesystem::path& path);
std::string sha256_of_bytes(std::string_view bytes);

// The same, each file read once.
class FileHashes {
  public:
    const std::string& of(const std::filesystem::path& path);

  private:
    std::map<std::filesystem::path, std::string> known_;
};

}  // namespace voldiff

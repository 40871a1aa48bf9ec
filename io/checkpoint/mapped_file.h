// A file mapped into memory, read only, and byte ranges that keep what they point into alive.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

namespace voldiff {

// Bytes with shared ownership: of a whole mapping, a part of it, or a buffer of their own. Never written.
struct Blob {
    std::shared_ptr<const void> owner;
    std::string_view bytes;
    bool mapped = false;  // of a file

    Blob part(std::size_t offset, std::size_t count) const { return {owner, bytes.substr(offset, count), mapped}; }
};

// Maps a regular file. The file must not be shortened while the mapping is in use. Throws Error(io) where it cannot be
// opened; the message does not name the file.
Blob map_file(const std::filesystem::path& path);

}  // namespace voldiff

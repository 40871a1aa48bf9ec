// Headers of zip archives, as far as minizip does not tell what they say.
#pragma once

#include <cstdint>
#include <string_view>

namespace voldiff {

// Where a record is and how large.
struct ZipExtent {
    std::uint64_t size = 0;  // after inflation
    std::uint64_t compressed_size = 0;
    std::uint64_t local_header = 0;
};

// From the entry at `position` of the directory. Throws Error(weights) where there is none.
ZipExtent read_extent(std::string_view file, std::uint64_t position);

// Where the content begins, behind the local header. Throws Error(weights) where that header is missing or says other
// sizes than the directory.
std::uint64_t content_position(std::string_view file, const ZipExtent& extent);

}  // namespace voldiff

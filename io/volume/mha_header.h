// Reads MetaImage headers beside ITK, whose reader goes on with what was in memory before where a file was cut short.
// Internal to io/volume. Source: https://itk.org/Wiki/ITK/MetaIO/Documentation
#pragma once

#include <cstdint>
#include <filesystem>

namespace voldiff {

// Throws Error(io) where the voxels are in another file, or where fewer bytes follow the header than it promises:
// CompressedDataSize of them, or `voxel_bytes` without compression.
void check_mha_is_whole(const std::filesystem::path& path, std::uint64_t voxel_bytes);

}  // namespace voldiff

#include "io/volume/mha_header.h"

#include "core/error.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

namespace voldiff {

namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
    throw Error(ErrorCode::io, "cannot read '" + path.string() + "': " + why);
}

std::string trimmed(const std::string& text) {
    const std::size_t begin = text.find_first_not_of(" \t\r");
    if (begin == std::string::npos) return "";
    return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

using Fields = std::map<std::string, std::string>;

// "Key = value" lines up to ElementDataFile, the last one; the voxels follow it.
Fields read_header(std::istream& stream) {
    Fields fields;
    for (std::string line; fields.count("ElementDataFile") == 0 && std::getline(stream, line);) {
        const std::size_t equals = line.find_first_of("=:");
        if (equals != std::string::npos) fields[trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
    }
    return fields;
}

// CompressedDataSize may be left out, and then says nothing.
std::uint64_t promised_bytes(const Fields& fields, std::uint64_t voxel_bytes) {
    const auto size = fields.find("CompressedDataSize");
    if (size != fields.end()) return std::strtoull(size->second.c_str(), nullptr, 10);
    const auto compressed = fields.find("CompressedData");
    const bool plain = compressed == fields.end() || compressed->second.substr(0, 1) != "T";
    return plain ? voxel_bytes : 0;
}

}  // namespace

void check_mha_is_whole(const std::filesystem::path& path, std::uint64_t voxel_bytes) {
    std::ifstream stream(path, std::ios::binary);
    const auto fields = read_header(stream);
    const auto place = fields.find("ElementDataFile");
    if (place == fields.end() || place->second != "LOCAL")
        refuse(path, "expected 'ElementDataFile = LOCAL', the voxels in the same file");
    const auto follows = std::filesystem::file_size(path) - static_cast<std::uint64_t>(stream.tellg());
    const std::uint64_t expected = promised_bytes(fields, voxel_bytes);
    if (follows < expected)
        refuse(path, "expected " + std::to_string(expected) + " bytes of voxels, found " + std::to_string(follows) +
                         "; is the download incomplete?");
}

}  // namespace voldiff

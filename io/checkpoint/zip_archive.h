// Records of a zip archive: views of the file where they are stored plainly, inflated into a buffer otherwise.
#pragma once

#include "io/checkpoint/mapped_file.h"
#include "io/checkpoint/zip_headers.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace voldiff {

class ZipArchive {
  public:
    // Reads the directory (zip and zip64). Throws Error(weights) where it is missing, damaged or ambiguous.
    explicit ZipArchive(Blob file);
    ~ZipArchive();
    ZipArchive(ZipArchive&&) noexcept;
    ZipArchive& operator=(ZipArchive&&) noexcept;
    ZipArchive(const ZipArchive&) = delete;
    ZipArchive& operator=(const ZipArchive&) = delete;

    // In alphabetical order.
    std::vector<std::string> names() const;
    bool contains(const std::string& name) const { return records_.count(name) != 0; }

    // Bytes after inflation. Throws Error(weights) where there is no such record.
    std::uint64_t size_of(const std::string& name) const { return find(name).extent.size; }

    // The content, checked against the CRC-32 of the directory. Throws Error(weights) where there is no such record, it
    // is damaged, encrypted or compressed by another method than deflate, or claims more bytes than it can hold.
    Blob read(const std::string& name);

  private:
    struct Record {
        std::uint64_t directory_position = 0;
        std::uint64_t number = 0;
        ZipExtent extent;
        std::uint32_t crc = 0;
        std::uint32_t method = 0;
        bool encrypted = false;
    };
    struct Reader;
    using Records = std::map<std::string, Record>;

    Records::const_iterator add_current();
    const Record& find(const std::string& name) const;
    Blob stored(const ZipExtent& extent) const;
    Blob inflated(const Record& record);

    Blob file_;
    std::unique_ptr<Reader> reader_;
    Records records_;
    std::uint64_t inflation_left_ = 0;
};

}  // namespace voldiff

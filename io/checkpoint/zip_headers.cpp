#include "io/checkpoint/zip_headers.h"

#include "io/checkpoint/byte_reader.h"

#include <algorithm>
#include <initializer_list>

namespace voldiff {
namespace {

constexpr std::uint32_t kPlaceholder = 0xffffffff;

void expect_signature(ByteReader& reader, std::string_view signature, const char* what) {
    if (reader.take(signature.size()) != signature) {
        refuse_weights("has no ", what, " where the directory of the zip archive says; the file is damaged");
    }
}

// Puts the 64-bit numbers of a header's extra field, which stand in this order, in the place of placeholders.
void read_zip64(std::string_view fields, std::initializer_list<std::uint64_t*> numbers) {
    constexpr std::uint16_t kZip64Field = 1;
    const auto is_placeholder = [](const std::uint64_t* number) { return *number == kPlaceholder; };
    ByteReader extra(fields);
    while (!extra.rest().empty() && std::any_of(numbers.begin(), numbers.end(), is_placeholder)) {
        const auto id = extra.take_number<std::uint16_t>();
        ByteReader field(extra.take(extra.take_number<std::uint16_t>()));
        for (auto* number : numbers) {
            if (id == kZip64Field && is_placeholder(number)) {
                *number = field.take_number<std::uint64_t>();
            }
        }
    }
}

// A local header may leave its sizes open: archives that are written in one go tell them behind the content.
bool contradicts(std::uint64_t local, std::uint64_t in_directory) {
    return local != 0 && local != kPlaceholder && local != in_directory;
}

}  // namespace

// minizip 1.1 of Debian 12 gives archives beyond 4 GiB the placeholder in place of their 64-bit sizes, and never tells
// positions.
ZipExtent read_extent(std::string_view file, std::uint64_t position) {
    ByteReader reader(file);
    reader.take(position);
    expect_signature(reader, "PK\x01\x02", "entry");
    reader.take(16);  // versions, flags, method, time, CRC
    ZipExtent extent;
    extent.compressed_size = reader.take_number<std::uint32_t>();
    extent.size = reader.take_number<std::uint32_t>();
    const auto name_size = reader.take_number<std::uint16_t>();
    const auto extra_size = reader.take_number<std::uint16_t>();
    reader.take(10);  // comment, disk, attributes
    extent.local_header = reader.take_number<std::uint32_t>();
    reader.take(name_size);
    read_zip64(reader.take(extra_size), {&extent.size, &extent.compressed_size, &extent.local_header});
    return extent;
}

std::uint64_t content_position(std::string_view file, const ZipExtent& extent) {
    ByteReader reader(file);
    reader.take(extent.local_header);
    expect_signature(reader, "PK\x03\x04", "record");
    reader.take(14);  // version, flags, method, time, CRC
    std::uint64_t compressed_size = reader.take_number<std::uint32_t>();
    std::uint64_t size = reader.take_number<std::uint32_t>();
    const auto name_size = reader.take_number<std::uint16_t>();
    const auto extra_size = reader.take_number<std::uint16_t>();
    reader.take(name_size);
    read_zip64(reader.take(extra_size), {&size, &compressed_size});
    if (contradicts(size, extent.size) || contradicts(compressed_size, extent.compressed_size)) {
        refuse_weights("has ", compressed_size, " bytes, inflated ", size, ", by its local header, but ",
                       extent.compressed_size, ", inflated ", extent.size, ", by the directory of the archive");
    }
    return reader.position();
}

}  // namespace voldiff

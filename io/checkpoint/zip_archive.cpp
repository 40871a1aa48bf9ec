#include "io/checkpoint/zip_archive.h"

#include "io/checkpoint/byte_reader.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <minizip/unzip.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace voldiff {
namespace {

constexpr std::uint64_t kMostDeflated = 1032;              // deflate cannot expand a byte further
constexpr std::uint64_t kUsualExpansion = 64;              // of a whole archive
constexpr std::uint64_t kFreeInflation = 256ULL << 20ULL;  // bytes that any archive may inflate to
constexpr std::uint32_t kEncryptedFlag = 1;

struct MemoryStream {
    std::string_view bytes;
    std::uint64_t position = 0;
};

MemoryStream& stream_of(voidpf stream) { return *static_cast<MemoryStream*>(stream); }

// The callbacks through which minizip reads. The archive is "opened" by handing over the stream given as `opaque`.
voidpf open_stream(voidpf opaque, const void*, int) { return opaque; }

uLong read_stream(voidpf, voidpf stream, void* buffer, uLong count) {
    auto& memory = stream_of(stream);
    const auto part = memory.bytes.substr(std::min<std::uint64_t>(memory.position, memory.bytes.size()), count);
    std::copy(part.begin(), part.end(), static_cast<char*>(buffer));
    memory.position += part.size();
    return part.size();
}

uLong write_stream(voidpf, voidpf, const void*, uLong) { return 0; }

ZPOS64_T tell_stream(voidpf, voidpf stream) { return stream_of(stream).position; }

long seek_stream(voidpf, voidpf stream, ZPOS64_T offset, int origin) {
    auto& memory = stream_of(stream);
    const std::uint64_t start = origin == ZLIB_FILEFUNC_SEEK_SET   ? 0
                                : origin == ZLIB_FILEFUNC_SEEK_CUR ? memory.position
                                                                   : memory.bytes.size();
    const auto target = start + offset;  // minizip counts backwards by wrapping around
    if (target > memory.bytes.size()) {
        return -1;
    }
    memory.position = target;
    return 0;
}

int close_stream(voidpf, voidpf) { return 0; }
int stream_error(voidpf, voidpf) { return 0; }

struct CloseArchive {
    void operator()(void* archive) const { unzClose(archive); }
};

std::uint32_t crc_of(std::string_view bytes) {
    return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void expect_signature(ByteReader& reader, std::string_view signature, const char* what) {
    if (reader.take(signature.size()) != signature) {
        refuse_weights("has no ", what, " where the directory of the zip archive says; the file is damaged");
    }
}

struct Extent {
    std::uint64_t size = 0;
    std::uint64_t compressed_size = 0;
    std::uint64_t local_header = 0;
};

// Where a record is, from its entry at `position` of the directory. minizip 1.1 of Debian 12 gives archives beyond 4
// GiB the placeholder in place of their 64-bit sizes, and never tells positions.
Extent read_extent(std::string_view file, std::uint64_t position) {
    constexpr std::uint32_t kPlaceholder = 0xffffffff;
    constexpr std::uint16_t kZip64Field = 1;
    ByteReader reader(file);
    reader.take(position);
    expect_signature(reader, "PK\x01\x02", "entry");
    reader.take(16);  // versions, flags, method, time, CRC
    Extent extent;
    extent.compressed_size = reader.take_number<std::uint32_t>();
    extent.size = reader.take_number<std::uint32_t>();
    const auto name_size = reader.take_number<std::uint16_t>();
    const auto extra_size = reader.take_number<std::uint16_t>();
    reader.take(10);  // comment, disk, attributes
    extent.local_header = reader.take_number<std::uint32_t>();
    reader.take(name_size);
    for (ByteReader extra(reader.take(extra_size)); !extra.rest().empty();) {
        const auto id = extra.take_number<std::uint16_t>();
        ByteReader field(extra.take(extra.take_number<std::uint16_t>()));
        for (auto* number : {&extent.size, &extent.compressed_size, &extent.local_header}) {
            if (id == kZip64Field && *number == kPlaceholder) {
                *number = field.take_number<std::uint64_t>();
            }
        }
    }
    return extent;
}

std::uint64_t data_position(std::string_view file, std::uint64_t local_header) {
    ByteReader reader(file);
    reader.take(local_header);
    expect_signature(reader, "PK\x03\x04", "record");
    reader.take(22);  // what the directory says as well
    const auto name_size = reader.take_number<std::uint16_t>();
    const auto extra_size = reader.take_number<std::uint16_t>();
    reader.take(name_size);
    reader.take(extra_size);
    return reader.position();
}

}  // namespace

struct ZipArchive::Reader {
    MemoryStream stream;
    std::unique_ptr<void, CloseArchive> archive;

    explicit Reader(std::string_view bytes) : stream{bytes} {
        zlib_filefunc64_def functions{open_stream, read_stream,  write_stream, tell_stream,
                                      seek_stream, close_stream, stream_error, &stream};
        archive.reset(unzOpen2_64("", &functions));
        if (!archive) {
            refuse_weights(
                "begins as a zip archive but has no directory at its end; the file is cut short or damaged, ",
                "copy or download it again");
        }
    }

    void open(const Record& record) const {
        unz64_file_pos position{record.directory_position, record.number};
        if (unzGoToFilePos64(archive.get(), &position) != UNZ_OK || unzOpenCurrentFile(archive.get()) != UNZ_OK) {
            refuse_weights("its local header contradicts the directory of the archive");
        }
    }
};

ZipArchive::ZipArchive(Blob file) : file_(std::move(file)), reader_(std::make_unique<Reader>(file_.bytes)) {
    inflation_left_ = std::max<std::uint64_t>(file_.bytes.size() * kUsualExpansion, kFreeInflation);
    auto* archive = reader_->archive.get();
    int status = unzGoToFirstFile(archive);
    for (; status == UNZ_OK; status = unzGoToNextFile(archive)) {
        std::array<char, 1024> name{};
        unz_file_info64 info{};
        unz64_file_pos position{};
        if (unzGetCurrentFileInfo64(archive, &info, name.data(), name.size(), nullptr, 0, nullptr, 0) != UNZ_OK ||
            unzGetFilePos64(archive, &position) != UNZ_OK || info.size_filename >= name.size()) {
            refuse_weights("the directory of the zip archive is damaged at record ", records_.size());
        }
        const auto extent = read_extent(file_.bytes, position.pos_in_zip_directory);
        const Record record{position.pos_in_zip_directory,
                            position.num_of_file,
                            extent.size,
                            extent.compressed_size,
                            extent.local_header,
                            static_cast<std::uint32_t>(info.crc),
                            static_cast<std::uint32_t>(info.compression_method),
                            (info.flag & kEncryptedFlag) != 0};
        if (!records_.emplace(name.data(), record).second) {
            refuse_weights("the zip archive holds two records named ", in_quotes(name.data()));
        }
    }
    if (status != UNZ_END_OF_LIST_OF_FILE) {
        refuse_weights("the directory of the zip archive is damaged after record ", records_.size());
    }
}

ZipArchive::~ZipArchive() = default;
ZipArchive::ZipArchive(ZipArchive&&) noexcept = default;
ZipArchive& ZipArchive::operator=(ZipArchive&&) noexcept = default;

std::vector<std::string> ZipArchive::names() const {
    std::vector<std::string> result;
    for (const auto& [name, record] : records_) {
        result.push_back(name);
    }
    return result;
}

const ZipArchive::Record& ZipArchive::find(const std::string& name) const {
    const auto found = records_.find(name);
    if (found == records_.end()) {
        refuse_weights("record ", in_quotes(name), " is missing from the archive; the file is incomplete");
    }
    return found->second;
}

Blob ZipArchive::read(const std::string& name) {
    const auto& record = find(name);
    try {
        if (record.encrypted || (record.method != 0 && record.method != Z_DEFLATED)) {
            refuse_weights("is encrypted or compressed by method ", record.method, ", expected stored or deflated");
        }
        auto content = record.method == 0 ? stored(record) : inflated(record);
        if (crc_of(content.bytes) != record.crc) {
            refuse_weights("its CRC-32 is not that of the directory; the data is damaged, copy or download it again");
        }
        return content;
    } catch (const Error& error) {
        throw error.within("record " + in_quotes(name));
    }
}

Blob ZipArchive::stored(const Record& record) {
    const auto start = data_position(file_.bytes, record.local_header);
    const auto file_size = file_.bytes.size();
    if (record.size != record.compressed_size || start > file_size || record.size > file_size - start) {
        refuse_weights("claims ", record.size, " bytes from byte ", start, " of a file that holds ", file_size);
    }
    return file_.part(start, record.size);
}

Blob ZipArchive::inflated(const Record& record) {
    if (record.compressed_size > file_.bytes.size() || record.size > record.compressed_size * kMostDeflated ||
        record.size > inflation_left_) {
        refuse_weights("claims to inflate from ", record.compressed_size, " to ", record.size,
                       " bytes, more than an honest archive of this size does");
    }
    inflation_left_ -= record.size;
    reader_->open(record);
    const auto buffer = at::empty({static_cast<std::int64_t>(record.size)}, at::kByte);
    auto* data = static_cast<char*>(buffer.data_ptr());
    constexpr std::uint64_t kChunk = 1ULL << 26ULL;
    for (std::uint64_t done = 0; done < record.size;) {
        const auto wanted = static_cast<unsigned>(std::min(kChunk, record.size - done));
        const auto count = unzReadCurrentFile(reader_->archive.get(), data + done, wanted);
        if (count <= 0) {
            unzCloseCurrentFile(reader_->archive.get());
            refuse_weights("its compressed data is damaged after ", done, " of ", record.size, " bytes");
        }
        done += static_cast<std::uint64_t>(count);
    }
    unzCloseCurrentFile(reader_->archive.get());
    return {std::make_shared<at::Tensor>(buffer), {data, record.size}};
}

}  // namespace voldiff

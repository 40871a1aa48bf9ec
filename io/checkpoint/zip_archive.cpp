#include "io/checkpoint/zip_archive.h"

#include "io/checkpoint/message.h"

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
    std::uint64_t bytes_left = file_.bytes.size();
    int status = unzGoToFirstFile(archive);
    for (; status == UNZ_OK; status = unzGoToNextFile(archive)) {
        const auto& [name, record] = *add_current();
        // Records on top of each other would make a small file cost as much as a large one.
        if (record.extent.compressed_size > bytes_left) {
            refuse_weights("record ", in_quotes(name), " claims ", record.extent.compressed_size,
                           " bytes of a file that holds ", file_.bytes.size(), ", more than the others leave");
        }
        bytes_left -= record.extent.compressed_size;
    }
    if (status != UNZ_END_OF_LIST_OF_FILE) {
        refuse_weights("the directory of the zip archive is damaged after record ", records_.size());
    }
}

ZipArchive::Records::const_iterator ZipArchive::add_current() {
    auto* archive = reader_->archive.get();
    std::array<char, 1024> name{};
    unz_file_info64 info{};
    unz64_file_pos position{};
    if (unzGetCurrentFileInfo64(archive, &info, name.data(), name.size(), nullptr, 0, nullptr, 0) != UNZ_OK ||
        unzGetFilePos64(archive, &position) != UNZ_OK || info.size_filename >= name.size()) {
        refuse_weights("the directory of the zip archive is damaged at record ", records_.size());
    }
    const Record record{position.pos_in_zip_directory,
                        position.num_of_file,
                        read_extent(file_.bytes, position.pos_in_zip_directory),
                        static_cast<std::uint32_t>(info.crc),
                        static_cast<std::uint32_t>(info.compression_method),
                        (info.flag & kEncryptedFlag) != 0};
    const auto [added, is_new] = records_.emplace(name.data(), record);
    if (!is_new) {
        refuse_weights("the zip archive holds two records named ", in_quotes(name.data()));
    }
    return added;
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
        auto content = record.method == 0 ? stored(record.extent) : inflated(record);
        if (crc_of(content.bytes) != record.crc) {
            refuse_weights("its CRC-32 is not that of the directory; the data is damaged, copy or download it again");
        }
        return content;
    } catch (const Error& error) {
        throw error.within("record " + in_quotes(name));
    }
}

Blob ZipArchive::stored(const ZipExtent& extent) const {
    const auto start = content_position(file_.bytes, extent);
    const auto file_size = file_.bytes.size();
    if (extent.size != extent.compressed_size || start > file_size || extent.size > file_size - start) {
        refuse_weights("claims ", extent.size, " bytes from byte ", start, " of a file that holds ", file_size);
    }
    return file_.part(start, extent.size);
}

Blob ZipArchive::inflated(const Record& record) {
    const auto [size, compressed_size, local_header] = record.extent;
    if (size > compressed_size * kMostDeflated || size > inflation_left_) {
        refuse_weights("claims to inflate from ", compressed_size, " to ", size,
                       " bytes, more than an honest archive of this size does");
    }
    inflation_left_ -= size;
    reader_->open(record);
    const auto buffer = at::empty({static_cast<std::int64_t>(size)}, at::kByte);
    auto* data = static_cast<char*>(buffer.data_ptr());
    constexpr std::uint64_t kChunk = 1ULL << 26ULL;
    for (std::uint64_t done = 0; done < size;) {
        const auto wanted = static_cast<unsigned>(std::min(kChunk, size - done));
        const auto count = unzReadCurrentFile(reader_->archive.get(), data + done, wanted);
        if (count <= 0) {
            unzCloseCurrentFile(reader_->archive.get());
            refuse_weights("its compressed data is damaged after ", done, " of ", size, " bytes");
        }
        done += static_cast<std::uint64_t>(count);
    }
    unzCloseCurrentFile(reader_->archive.get());
    return {std::make_shared<at::Tensor>(buffer), {data, size}};
}

}  // namespace voldiff

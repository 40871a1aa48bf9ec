#include "io/volume/nifti_header.h"

#include "core/error.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <type_traits>

namespace voldiff {

namespace {

using Gzip = std::unique_ptr<std::remove_pointer_t<gzFile>, int (*)(gzFile)>;

Gzip open_gzip(const std::filesystem::path& path) { return {gzopen(path.c_str(), "rb"), gzclose}; }

constexpr int header_size = 348;

class Header {
  public:
    explicit Header(const std::array<char, header_size>& bytes) : bytes_(bytes) {
        swapped_ = at<std::int32_t>(0) != header_size;
    }

    bool is_nifti() const { return at<std::int32_t>(0) == header_size && std::memcmp(&bytes_[344], "n+1", 4) == 0; }

    bool is_swapped() const { return swapped_; }

    bool is_finite(std::size_t offset, std::size_t count) const {
        for (std::size_t i = 0; i < count; ++i)
            if (!std::isfinite(at<float>(offset + 4 * i))) return false;
        return true;
    }

    template <typename Value>
    Value at(std::size_t offset) const {
        std::array<char, sizeof(Value)> raw{};
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), sizeof(Value), raw.begin());
        if (swapped_) std::reverse(raw.begin(), raw.end());
        Value value{};
        std::memcpy(&value, raw.data(), sizeof(Value));
        return value;
    }

  private:
    std::array<char, header_size> bytes_;
    bool swapped_ = false;
};

Affine sform(const Header& header) {
    Affine affine = diagonal_affine({1, 1, 1});
    for (std::size_t row = 0; row < 3; ++row)
        for (std::size_t column = 0; column < 4; ++column)
            affine[row][column] = header.at<float>(280 + 16 * row + 4 * column);  // srow_x, srow_y, srow_z
    return affine;
}

Affine centred(const Header& header) {
    Affine affine = diagonal_affine({1, 1, 1});
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const double spacing = header.at<float>(80 + 4 * axis);            // pixdim[1..3]
        const double last = header.at<std::int16_t>(42 + 2 * axis) - 1.0;  // dim[1..3]
        affine[axis][axis] = axis == 0 ? -spacing : spacing;
        affine[axis][3] = -affine[axis][axis] * last / 2;
    }
    return affine;
}

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
    throw Error(ErrorCode::io, "cannot read '" + path.string() + "': " + why);
}

Header load(const std::filesystem::path& path) {
    const Gzip file = open_gzip(path);
    std::array<char, header_size> bytes{};
    if (!file || gzread(file.get(), bytes.data(), header_size) != header_size)
        refuse(path, "expected a NIfTI image, found no header of 348 bytes; is it cut short?");
    const Header header(bytes);
    if (!header.is_nifti()) refuse(path, "expected a NIfTI-1 image in one file ('n+1'), found something else");
    return header;
}

// By its `datatype`: the integers and floats of 1 to 8 bytes.
std::uint64_t bytes_of_type(const std::filesystem::path& path, int type) {
    static const std::map<int, std::uint64_t> sizes = {{2, 1},   {4, 2},   {8, 4},   {16, 4},   {64, 8},
                                                       {256, 1}, {512, 2}, {768, 4}, {1024, 8}, {1280, 8}};
    const auto found = sizes.find(type);
    if (found == sizes.end())
        refuse(path, "expected one integer or float a voxel, found NIfTI data type " + std::to_string(type));
    return found->second;
}

void check_numbers(const std::filesystem::path& path, const Header& header, bool by_sform, bool by_qform) {
    const auto dimensions = header.at<std::int16_t>(40);
    if (dimensions < 1 || dimensions > 7)
        refuse(path, "its header is corrupt: it has " + std::to_string(dimensions) + " dimensions");
    for (std::int16_t axis = 1; axis <= dimensions; ++axis) {
        const auto count = header.at<std::int16_t>(40 + 2 * static_cast<std::size_t>(axis));
        if (count < 1) refuse(path, "its header is corrupt: an axis has " + std::to_string(count) + " voxels");
    }
    const bool finite = header.is_finite(80, 3) &&                  // pixdim[1..3]
                        (!by_qform || header.is_finite(256, 6)) &&  // quatern_b to qoffset_z
                        (!by_sform || header.is_finite(280, 12));   // srow_x to srow_z
    if (!finite) refuse(path, "its header is corrupt: the affine holds NaN or infinity");
    const auto start = header.at<float>(108);  // vox_offset
    if (!(start >= 352) || start > 1e9)
        refuse(path, "its header is corrupt: voxels start at byte " + std::to_string(start) + ", expected 352 or more");
}

}  // namespace

NiftiHeader read_nifti_header(const std::filesystem::path& path) {
    const Header header = load(path);
    const bool by_qform = header.at<std::int16_t>(252) > 0;
    const bool by_sform = header.at<std::int16_t>(254) > 0;
    check_numbers(path, header, by_sform, by_qform);
    NiftiHeader result;
    result.voxels_at = static_cast<std::uint64_t>(header.at<float>(108));
    const auto slope = header.at<float>(112);
    const bool scaled = std::isfinite(slope) && slope != 0 && (slope != 1 || header.at<float>(116) != 0);
    result.plain = !scaled && !header.is_swapped();
    result.bytes_each = bytes_of_type(path, header.at<std::int16_t>(70));
    if (by_sform) result.affine = sform(header);
    if (!by_sform && !by_qform) result.affine = centred(header);
    return result;
}

namespace {

// Reads up to `size` bytes, less at the end of the file; nothing where the stream is broken.
std::optional<std::uint64_t> read_bytes(gzFile file, char* buffer, std::uint64_t size) {
    std::uint64_t done = 0;
    while (done < size) {
        const auto piece = static_cast<unsigned>(std::min<std::uint64_t>(size - done, 1U << 30));
        const int count = gzread(file, buffer + done, piece);
        if (count < 0) return std::nullopt;
        if (count == 0) break;
        done += static_cast<std::uint64_t>(count);
    }
    return done;
}

// Bytes from here to the end, where gzip's checksum is compared; nothing where the stream is broken.
std::optional<std::uint64_t> read_rest(gzFile file) {
    std::vector<char> block(std::size_t{1} << 18);
    std::uint64_t total = 0;
    while (true) {
        const auto count = read_bytes(file, block.data(), block.size());
        if (!count) return std::nullopt;
        total += *count;
        if (*count < block.size()) break;
    }
    int status = Z_OK;
    gzerror(file, &status);  // a stream cut short reads to its end and says so here
    return status == Z_OK || status == Z_STREAM_END ? std::optional(total) : std::nullopt;
}

}  // namespace

void read_stored_voxels(const std::filesystem::path& path, const NiftiHeader& header, void* buffer,
                        std::uint64_t size) {
    const Gzip file = open_gzip(path);
    if (!file || gzseek(file.get(), static_cast<z_off_t>(header.voxels_at), SEEK_SET) < 0)
        refuse(path, "its gzip stream is broken; is the download incomplete?");
    const auto done = read_bytes(file.get(), static_cast<char*>(buffer), size);
    const auto rest = read_rest(file.get());
    if (!done || !rest) refuse(path, "its gzip stream is broken; is the download incomplete?");
    if (*done < size)
        refuse(path, "its voxels end early, expected " + std::to_string(header.voxels_at + size) +
                         " bytes; is the download incomplete?");
}

std::optional<std::uint64_t> unpacked_size(const std::filesystem::path& path) {
    const Gzip file = open_gzip(path);
    if (!file) return std::nullopt;
    gzbuffer(file.get(), 1 << 18);
    return read_rest(file.get());
}

}  // namespace voldiff

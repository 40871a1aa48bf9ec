#include "io/volume/volume.h"

#include "core/text.h"
#include "io/file.h"
#include "io/volume/image_io.h"
#include "io/volume/mha_header.h"
#include "io/volume/nifti_header.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <system_error>

namespace voldiff {

namespace {

using std::filesystem::path;

[[noreturn]] void refuse(const path& file, const std::string& why) {
    throw Error(ErrorCode::io, "cannot read '" + file.string() + "': " + why);
}

void check_is_file(const path& file) {
    std::error_code failed;
    const auto status = std::filesystem::status(file, failed);
    if (status.type() == std::filesystem::file_type::not_found) refuse(file, "there is no such file");
    if (failed) refuse(file, failed.message());
    if (status.type() == std::filesystem::file_type::directory) refuse(file, "it is a folder");
    if (status.type() != std::filesystem::file_type::regular) refuse(file, "it is not a plain file");
    if (std::filesystem::file_size(file, failed) == 0) refuse(file, "it is empty");
}

const Element& element_of(const path& file, const itk::ImageIOBase& io) {
    if (io.GetNumberOfComponents() != 1)
        refuse(file, "expected one number a voxel, found " + std::to_string(io.GetNumberOfComponents()));
    for (const Element& element : elements())
        if (element.component == io.GetComponentType()) return element;
    refuse(file, "voxels of type " + itk::ImageIOBase::GetComponentTypeAsString(io.GetComponentType()) +
                     " are not supported");
}

// Voxels along x, y, z, and values a voxel: 1 unless `axes` is 4.
std::array<std::int64_t, 4> size_of(const path& file, const itk::ImageIOBase& io, unsigned axes) {
    std::vector<std::string> text;
    bool fits = io.GetNumberOfDimensions() >= 3;
    for (unsigned axis = 0; axis < io.GetNumberOfDimensions(); ++axis) {
        text.push_back(std::to_string(io.GetDimensions(axis)));
        fits = fits && (axis < axes || io.GetDimensions(axis) == 1);
    }
    if (!fits)
        refuse(file, std::string("expected three dimensions") + (axes == 4 ? " and channels" : "") + ", found " +
                         join(text, " x "));
    std::array<std::int64_t, 4> size{1, 1, 1, 1};
    for (unsigned axis = 0; axis < std::min(axes, io.GetNumberOfDimensions()); ++axis)
        size[axis] = static_cast<std::int64_t>(io.GetDimensions(axis));
    return size;
}

// Before anything is allocated for them.
void check_claim(const path& file, const std::array<std::int64_t, 3>& size, std::size_t bytes_each) {
    constexpr double most_deflate_packs = 1032;  // https://zlib.net/zlib_tech.html
    double bytes = static_cast<double>(bytes_each);
    for (const std::int64_t count : size) {
        if (count < 1) refuse(file, "its header is corrupt: an axis has " + std::to_string(count) + " voxels");
        bytes *= static_cast<double>(count);
    }
    const double has = static_cast<double>(std::filesystem::file_size(file));
    if (bytes > has * most_deflate_packs)
        refuse(file, "its header claims " + std::to_string(size[0]) + " x " + std::to_string(size[1]) + " x " +
                         std::to_string(size[2]) + " voxels, more than its " +
                         std::to_string(std::filesystem::file_size(file)) + " bytes can hold");
}

struct Opened {
    itk::ImageIOBase::Pointer io;
    std::optional<NiftiHeader> nifti;
    const Element* element = nullptr;
    std::int64_t channels = 1;  // values a voxel, along a fourth axis
    VolumeInfo info;
};

void check_affine(const path& file, const Affine& affine) {
    for (const auto& row : affine)
        for (const double value : row)
            if (!std::isfinite(value)) refuse(file, "its affine holds NaN or infinity");
    const auto& a = affine;
    const double volume = a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) -
                          a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
                          a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
    if (volume == 0) refuse(file, "its affine is singular, so voxels have no place");
}

Affine affine_of(const Opened& opened) {
    if (opened.nifti && opened.nifti->affine) return *opened.nifti->affine;
    return affine_from(*opened.io);
}

Opened open_volume(const path& file, unsigned axes = 3) {
    Opened opened;
    opened.io = image_io_for(file);
    check_is_file(file);
    if (is_nifti(file)) opened.nifti = read_nifti_header(file);
    through_itk("read", file, [&] {
        if (!opened.io->CanReadFile(file.c_str()))
            refuse(file, "its content is not that of a " + extension(file) + " file");
        opened.io->SetFileName(file.string());
        opened.io->ReadImageInformation();
    });
    opened.element = &element_of(file, *opened.io);
    const auto [x, y, z, channels] = size_of(file, *opened.io, axes);
    const std::array<std::int64_t, 3> size{x, y, z};
    opened.channels = channels;
    if (channels < 1) refuse(file, "its header is corrupt: it has no channels");
    check_claim(
        file, size,
        (opened.nifti ? opened.nifti->bytes_each : opened.io->GetComponentSize()) * static_cast<std::size_t>(channels));
    const Affine affine = affine_of(opened);
    check_affine(file, affine);
    opened.info = {size, spacing_of(affine), opened.element->name, affine};
    return opened;
}

at::Tensor allocate(const path& file, const Opened& opened) {
    const auto& size = opened.info.size;
    try {
        return at::empty({opened.channels, size[2], size[1], size[0]}, opened.element->storage);  // x fastest, as ITK
    } catch (const std::exception&) {
        throw Error(ErrorCode::memory, "no memory for the voxels of '" + file.string() + "'");
    }
}

void check_not_cut_short(const path& file, const NiftiHeader& header, std::uint64_t voxels) {
    const auto has = unpacked_size(file);
    if (!has) refuse(file, "its gzip stream is broken; is the download incomplete?");
    const std::uint64_t wanted = header.voxels_at + voxels * header.bytes_each;
    if (*has < wanted)
        refuse(file, "expected " + std::to_string(wanted) + " bytes, found " + std::to_string(*has) +
                         "; is the download incomplete?");
}

at::Tensor read_voxels(const path& file, const Opened& opened, int background) {
    const at::Tensor voxels = allocate(file, opened);
    if (opened.nifti && opened.nifti->plain) {
        read_stored_voxels(file, *opened.nifti, voxels.data_ptr(), voxels.nbytes());
        return voxels;
    }
    voxels.fill_(background);
    opened.io->SetIORegion(whole_region(opened.info.size, opened.channels));
    through_itk("read", file, [&] { opened.io->Read(voxels.data_ptr()); });
    return voxels;
}

// MetaIO calls it a success when a compressed stream is broken, and leaves the rest of the buffer as it was.
void check_all_were_read(const path& file, const at::Tensor& voxels) {
    const at::Tensor again = read_voxels(file, open_volume(file), 1);
    if (!same_bytes(voxels, again)) refuse(file, "its compressed voxels are broken; is the download incomplete?");
}

std::uint64_t bytes_of(const Opened& opened) {
    const auto& size = opened.info.size;
    return static_cast<std::uint64_t>(size[0] * size[1] * size[2]) * opened.io->GetComponentSize();
}

at::Tensor to_signed(const at::Tensor& voxels, std::int64_t mask) {
    return voxels.to(voxels.scalar_type() == at::kShort ? at::kInt : at::kLong).bitwise_and_(mask);
}

// [channels, Z, Y, X], checked to be whole.
at::Tensor read_whole(const path& file, const Opened& opened) {
    const bool mha = extension(file) == ".mha";
    if (mha) check_mha_is_whole(file, bytes_of(opened));
    at::Tensor voxels = read_voxels(file, opened, 0);
    if (opened.nifti && !opened.nifti->plain)
        check_not_cut_short(file, *opened.nifti, static_cast<std::uint64_t>(voxels.numel()));
    if (mha) check_all_were_read(file, voxels);
    return voxels;
}

}  // namespace

VolumeInfo read_volume_info(const path& file) { return open_volume(file).info; }

Volume read_volume(const path& file) {
    const Opened opened = open_volume(file);
    at::Tensor voxels = read_whole(file, opened).squeeze(0);
    const std::int64_t mask = opened.element->unsigned_mask;
    if (mask != 0) voxels = to_signed(voxels, mask);
    return {voxels.permute({2, 1, 0}).contiguous(), opened.info.affine};
}

Volume read_channels(const path& file) {
    if (!is_nifti(file))
        throw Error(ErrorCode::config, "'" + file.string() + "' is not named as a NIfTI file (.nii.gz, .nii)");
    const Opened opened = open_volume(file, 4);
    if (!at::isFloatingType(opened.element->storage))
        refuse(file, "expected channels of floating-point numbers, found " + opened.info.dtype);
    return {read_whole(file, opened).to(at::kFloat).permute({3, 2, 1, 0}).contiguous(), opened.info.affine};
}

}  // namespace voldiff

// Volumes and their files: NIfTI, NRRD and MetaImage through ITK.
//
// In memory a volume is as nibabel gives it: axes x, y, z with x first, and an affine to RAS+ millimetres. ITK stores x
// fastest and counts in LPS, so reading and writing transpose the axes (one copy) and negate the x and y of the
// geometry.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace voldiff {

// Voxel index (i, j, k, 1) -> (right, anterior, superior, 1) in mm.
using Affine = std::array<std::array<double, 4>, 4>;

// mm per voxel on the diagonal, origin zero.
Affine diagonal_affine(const std::array<double, 3>& spacing);

// Length of a step along each axis, in mm.
std::array<double, 3> spacing_of(const Affine& affine);

struct Volume {
    at::Tensor voxels;  // [X, Y, Z], contiguous, on the CPU; [X, Y, Z, channels] where a function says so
    Affine affine;
};

struct VolumeInfo {
    std::array<std::int64_t, 3> size;  // voxels
    std::array<double, 3> spacing;     // mm
    std::string dtype;                 // of the values, by numpy's name; a file with a slope holds floats
    Affine affine;
};

// ".nii.gz", ".nii", ".nrrd", ".mha"
const std::vector<std::string>& volume_formats();
bool is_volume_format(const std::string& extension);
// Throws Error(config), with the formats there are, for a path with another extension.
void check_volume_format(const std::filesystem::path& path);

// Reads the header only. NIfTI: the affine is nibabel's choice (sform, else qform, else the centre of the image).
// Throws Error(config) for an unknown extension; Error(io) for a file that is missing, corrupt, no image of its format,
// not three-dimensional, not of one number a voxel, or that claims more voxels than its bytes can hold.
VolumeInfo read_volume_info(const std::filesystem::path& path);

// As above, and Error(memory) where the voxels do not fit. NaN and infinity are kept, but not in a NIfTI file with a
// slope or foreign byte order, where ITK reads them as zero. The type is the file's; uint16 becomes int32 and uint32
// becomes int64, which LibTorch has in all its versions.
Volume read_volume(const std::filesystem::path& path);

// A NIfTI file with channels along its fourth axis, as float32: voxels are [X, Y, Z, channels], one channel where there
// is no such axis. Throws as `read_volume`, and where the file has integers.
Volume read_channels(const std::filesystem::path& path);

// [X, Y, Z], or [X, Y, Z, channels] in a NIfTI file. int16, int32, uint8, float32 or float64, from the tensor's type;
// NaN and infinity are written as they are. The file appears under its name only when it is whole. Throws Error(config)
// for an unknown extension, Error(io) for another type, for an affine with shear (ITK has none) and for whatever the
// system refuses.
void write_volume(const std::filesystem::path& path, const Volume& volume);

std::string itk_version();

// Threads of ITK's filters from now on.
void use_itk_threads(int threads);

}  // namespace voldiff

// Reads NIfTI-1 headers beside ITK, which prefers the qform where nibabel prefers the sform, rounds either to
// orthonormal directions, aborts on NaN and fills a file that was cut short with zeros. Internal to io/volume. Source:
// https://nifti.nimh.nih.gov/nifti-1 ; nibabel's Nifti1Header.get_best_affine
#pragma once

#include "io/volume/volume.h"

#include <cstdint>
#include <optional>

namespace voldiff {

struct NiftiHeader {
    // As nibabel has it where the sform says it, or where neither form does (then the centre of the image is the origin
    // and the first axis runs to the left). Nothing for a qform, which ITK reads alike.
    std::optional<Affine> affine;
    std::uint64_t voxels_at = 352;  // byte of the unpacked file
    std::uint64_t bytes_each = 0;   // of a stored voxel; a slope makes ITK give wider ones
    bool plain = true;              // stored as they are meant: this machine's byte order and no slope
};

// Of a plain or gzip file. Throws Error(io) where it is not the header of a single-file NIfTI-1 image of one number a
// voxel, or where a number in it cannot be.
NiftiHeader read_nifti_header(const std::filesystem::path& path);

// The stored bytes of the voxels, as they are. Throws Error(io) where the file is cut short or its gzip stream broken.
void read_stored_voxels(const std::filesystem::path& path, const NiftiHeader& header, void* buffer, std::uint64_t size);

// Bytes of a plain or gzip file when unpacked, read to its end (so gzip's checksum has been compared); nothing where
// the stream is broken.
std::optional<std::uint64_t> unpacked_size(const std::filesystem::path& path);

}  // namespace voldiff

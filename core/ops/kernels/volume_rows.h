// Rows of a channels-last volume for a convolution that reads them, as they are or changed on the way.
#pragma once

#include "core/ops/kernels/norm_kernels.h"

#include <array>
#include <cstdint>
#include <optional>

namespace voldiff::ops {

struct VolumeRows {
    const float* x = nullptr;  // [D, H, W, C]
    std::array<std::int64_t, 3> extents{};
    std::int64_t channels = 0;

    const float* row(std::int64_t z, std::int64_t y) const { return x + (z * extents[1] + y) * extents[2] * channels; }
};

// Writes row (z, y) with voxels `stride` floats apart.
void copy_row(const VolumeRows& rows, std::int64_t z, std::int64_t y, float* out, std::size_t stride);
// silu(affine(x))
void normalised_row(const VolumeRows& rows, const ChannelAffine& affine, std::int64_t z, std::int64_t y, float* out,
                    std::size_t stride);
// Row (z, y) of the volume halved by the mean of 2 x 2 x 2 voxels: W / 2 voxels, in its own coordinates. With `affine`
// of silu(affine(x)).
void pooled_row(const VolumeRows& rows, const ChannelAffine* affine, std::int64_t z, std::int64_t y, float* out);
// A row of the volume doubled by nearest neighbours: 2 W voxels; z and y count its voxels.
void nearest_row(const VolumeRows& rows, std::int64_t z, std::int64_t y, float* out);
// Where voxel i of a doubled axis lies: between voxels `low` and `high`, with this share of `low`.
struct Between {
    std::int64_t low, high;
    float share;
};
Between between(std::int64_t i, std::int64_t extent);
// A row of the volume doubled by trilinear interpolation, corners not aligned: 2 W voxels; z and y count its voxels.
void trilinear_row(const VolumeRows& rows, std::int64_t z, std::int64_t y, float* out, std::size_t stride);

// The same with the two planes [H, W, C] between which it lies.
void trilinear_row(const VolumeRows& low_plane, const VolumeRows& high_plane, float low_share, std::int64_t y,
                   float* out, std::size_t stride);

}  // namespace voldiff::ops

// Group normalisation of channels-last float32 volumes, in a pass that measures and one that applies.
#pragma once

#include "core/ops/kernels/channel_moments.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace voldiff::ops {

// y = (x - centre) scale + shift, for each channel. Subtracting first keeps the digits of x - mean where the mean is
// large.
struct ChannelAffine {
    std::vector<float> centre, scale, shift;  // [C, padded to whole vectors]
};

// x [voxels, C], contiguous. Bit for bit the same with any number of threads.
ChannelMoments moments_of(const float* x, std::int64_t voxels, std::int64_t channels);

// Floats of the sums of a part of a volume: for each vector of channels a pivot, the sum of the differences from it,
// and that of their squares.
std::size_t sums_of_part(std::size_t channels);
// Sums of parts [parts, sums_of_part(C)] with `voxels` values each into moments, in this order. The same parts in the
// same order give the same bits, whichever threads measured them and however many calls they come in.
void merge_parts(const float* sums, const std::vector<std::int32_t>& voxels, ChannelMoments& moments);

// The normalisation of groups of channels with mean and biased variance. weight and bias [C].
ChannelAffine group_norm_affine(const ChannelMoments& moments, std::int64_t groups, const float* weight,
                                const float* bias, double eps);

// y = affine(x), or silu of it; x [voxels, C], y [voxels, stride].
void normalise(const float* x, std::int64_t voxels, std::int64_t channels, const ChannelAffine& affine, bool silu,
               float* y, std::size_t stride);

// The same on all threads; y [voxels, C], may be x.
void normalise_volume(const float* x, std::int64_t voxels, std::int64_t channels, const ChannelAffine& affine,
                      bool silu, float* y);

}  // namespace voldiff::ops

#include "core/ops/kernels/norm_kernels.h"

#include "core/ops/kernels/parallel.h"
#include "core/ops/kernels/simd_targets.h"
#include "core/ops/kernels/tile_kernels.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/ops/kernels/norm_kernels.cpp"  // NOLINT: Highway includes this file once a target
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/ops/kernels/exp-inl.h"
#include "core/ops/kernels/sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {
namespace {

void add_moments(const float* x, std::size_t voxels, std::size_t channels, ChannelMoments& moments) {
    for (std::size_t c = 0; c < channels; c += lanes) {
        const std::size_t count = HWY_MIN(lanes, channels - c);
        Sums sums;
        for (std::size_t v = 0; v < voxels; ++v) sums.add(load_some(x + v * channels + c, count));
        HWY_ALIGN float values[3 * lanes];
        sums.store_at(values);
        MergedSums merged(moments, c, count);
        merged.merge(values, static_cast<double>(voxels));
        merged.put_into(moments, c, count);
    }
    moments.count += static_cast<double>(voxels);
}

void merge_vector(const float* sums, std::size_t stride, const std::vector<std::int32_t>& voxels, std::size_t first,
                  ChannelMoments& moments) {
    const std::size_t count = HWY_MIN(lanes, moments.mean.size() - first);
    MergedSums merged(moments, first, count);
    for (const std::int32_t values : voxels) {
        merged.merge(sums + 3 * first, values);
        sums += stride;
    }
    merged.put_into(moments, first, count);
}

// Voxel after voxel: memory is read in order.
template <bool SILU>
void apply(const float* x, std::size_t voxels, std::size_t channels, const ChannelAffine& affine, float* y,
           std::size_t stride) {
    const float* centre = affine.centre.data();
    const float* scale = affine.scale.data();
    const float* shift = affine.shift.data();
    for (std::size_t v = 0; v < voxels; ++v, x += channels, y += stride) {
        for (std::size_t c = 0; c < channels; c += lanes) {
            const std::size_t count = HWY_MIN(lanes, channels - c);
            const Vector d = hn::Sub(load_some(x + c, count), load(centre + c));
            const Vector z = hn::MulAdd(d, load(scale + c), load(shift + c));
            store_some(SILU ? silu(z) : z, y + c, count);
        }
    }
}

void apply_affine(const float* x, std::size_t voxels, std::size_t channels, const ChannelAffine& affine, bool silu,
                  float* y, std::size_t stride) {
    silu ? apply<true>(x, voxels, channels, affine, y, stride) : apply<false>(x, voxels, channels, affine, y, stride);
}

}  // namespace
}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace voldiff::ops {

namespace {

HWY_EXPORT(add_moments);
HWY_EXPORT(merge_vector);
HWY_EXPORT(apply_affine);

constexpr std::int64_t voxels_at_once = 64;  // summed in float32 before they go into a double
constexpr std::int64_t voxels_of_task = 4096;
constexpr std::size_t widest_vector = 64;  // floats; no instruction set has more

}  // namespace

ChannelMoments moments_of(const float* x, std::int64_t voxels, std::int64_t channels) {
    const auto width = static_cast<std::size_t>(channels);
    const std::int64_t tasks = (voxels + voxels_of_task - 1) / voxels_of_task;
    std::vector<ChannelMoments> parts(static_cast<std::size_t>(tasks), ChannelMoments(width));
    parallel_each(tasks, [&](std::int64_t task, std::int64_t) {
        const std::int64_t end = std::min((task + 1) * voxels_of_task, voxels);
        for (std::int64_t v = task * voxels_of_task; v < end; v += voxels_at_once) {
            const auto count = static_cast<std::size_t>(std::min(voxels_at_once, end - v));
            HWY_DYNAMIC_DISPATCH(add_moments)(x + v * channels, count, width, parts[static_cast<std::size_t>(task)]);
        }
    });
    ChannelMoments all(width);
    for (const ChannelMoments& part : parts) all.merge(part);
    return all;
}

namespace {

std::size_t vectors_of(std::size_t channels) {
    const std::size_t lanes = tile_kernels(ConvVariant::direct).lanes;
    return (channels + lanes - 1) / lanes;
}

}  // namespace

std::size_t sums_of_part(std::size_t channels) {
    return 3 * vectors_of(channels) * tile_kernels(ConvVariant::direct).lanes;
}

void merge_parts(const float* sums, const std::vector<std::int32_t>& voxels, ChannelMoments& moments) {
    const std::size_t channels = moments.mean.size();
    const std::size_t lanes = tile_kernels(ConvVariant::direct).lanes;
    parallel_each(static_cast<std::int64_t>(vectors_of(channels)), [&](std::int64_t index, std::int64_t) {
        HWY_DYNAMIC_DISPATCH(merge_vector)
        (sums, sums_of_part(channels), voxels, static_cast<std::size_t>(index) * lanes, moments);
    });
    for (const std::int32_t values : voxels) moments.count += values;
}

ChannelAffine group_norm_affine(const ChannelMoments& moments, std::int64_t groups, const float* weight,
                                const float* bias, double eps) {
    const std::size_t channels = moments.mean.size();
    const std::size_t of_group = channels / static_cast<std::size_t>(groups);
    ChannelAffine affine;
    for (auto* values : {&affine.centre, &affine.scale, &affine.shift}) values->resize(channels + widest_vector);
    for (std::size_t first = 0; first < channels; first += of_group) {
        double count = 0;
        double mean = 0;
        double squares = 0;
        for (std::size_t c = first; c < first + of_group; ++c) {
            merge_moments(count, mean, squares, moments.count, moments.mean[c], moments.squares[c]);
            count += moments.count;
        }
        // Squares beyond float32 must not become a scale of zero, which would hide that a network has gone astray.
        const double inverse = std::isfinite(squares) ? 1 / std::sqrt(squares / count + eps) : std::nan("");
        for (std::size_t c = first; c < first + of_group; ++c) {
            affine.centre[c] = static_cast<float>(mean);
            affine.scale[c] = static_cast<float>(inverse * weight[c]);
            affine.shift[c] = static_cast<float>(bias[c] - (mean - affine.centre[c]) * inverse * weight[c]);
        }
    }
    return affine;
}

void normalise(const float* x, std::int64_t voxels, std::int64_t channels, const ChannelAffine& affine, bool silu,
               float* y, std::size_t stride) {
    HWY_DYNAMIC_DISPATCH(apply_affine)
    (x, static_cast<std::size_t>(voxels), static_cast<std::size_t>(channels), affine, silu, y, stride);
}

void normalise_volume(const float* x, std::int64_t voxels, std::int64_t channels, const ChannelAffine& affine,
                      bool silu, float* y) {
    constexpr std::int64_t task = 256;
    parallel_each((voxels + task - 1) / task, [&](std::int64_t index, std::int64_t) {
        const std::int64_t begin = index * task;
        normalise(x + begin * channels, std::min(task, voxels - begin), channels, affine, silu, y + begin * channels,
                  static_cast<std::size_t>(channels));
    });
}

}  // namespace voldiff::ops
#endif

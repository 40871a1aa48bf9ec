#include "core/ops/kernels/volume_rows.h"

#include "core/ops/kernels/simd_targets.h"

#include <algorithm>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/ops/kernels/volume_rows.cpp"  // NOLINT: Highway includes this file once a target
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/ops/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {
namespace {

// out = share * a + (1 - share) * b
void mix_values(const float* a, const float* b, float share, std::size_t count, float* out) {
    const Vector of_a = broadcast(share);
    const Vector of_b = broadcast(1 - share);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) store(hn::MulAdd(of_a, load(a + i), hn::Mul(of_b, load(b + i))), out + i);
    for (; i < count; ++i) out[i] = share * a[i] + (1 - share) * b[i];
}

// out[width, channels] = means of 2 x 2 x 2 voxels; rows: those of two planes, each [2 width, channels]
void pool_rows(const std::array<const float*, 4>& rows, std::size_t width, std::size_t channels, float* out) {
    const Vector eighth = broadcast(0.125F);
    for (std::size_t x = 0; x < width; ++x, out += channels) {
        for (std::size_t c = 0; c < channels; c += lanes) {
            const std::size_t count = HWY_MIN(lanes, channels - c);
            Vector sum = hn::Zero(Floats());
            for (const float* row : rows) {
                const float* left = row + 2 * x * channels + c;
                sum = hn::Add(hn::Add(sum, load_some(left, count)), load_some(left + channels, count));
            }
            store_some(hn::Mul(sum, eighth), out + c, count);
        }
    }
}

}  // namespace
}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace voldiff::ops {

namespace {

HWY_EXPORT(mix_values);
HWY_EXPORT(pool_rows);

void mix(const float* a, const float* b, float share, std::int64_t count, float* out) {
    HWY_DYNAMIC_DISPATCH(mix_values)(a, b, share, static_cast<std::size_t>(count), out);
}

}  // namespace

Between between(std::int64_t i, std::int64_t extent) {
    const std::int64_t half = i / 2;
    if (i % 2 == 0) return {std::max<std::int64_t>(half - 1, 0), half, 0.25F};
    return {half, std::min(half + 1, extent - 1), 0.75F};
}

void copy_row(const VolumeRows& rows, std::int64_t z, std::int64_t y, float* out, std::size_t stride) {
    const float* in = rows.row(z, y);
    const std::int64_t channels = rows.channels;
    if (static_cast<std::int64_t>(stride) == channels) {
        std::copy_n(in, rows.extents[2] * channels, out);
        return;
    }
    for (std::int64_t x = 0; x < rows.extents[2]; ++x, in += channels, out += stride) std::copy_n(in, channels, out);
}

void normalised_row(const VolumeRows& rows, const ChannelAffine& affine, std::int64_t z, std::int64_t y, float* out,
                    std::size_t stride) {
    normalise(rows.row(z, y), rows.extents[2], rows.channels, affine, true, out, stride);
}

void pooled_row(const VolumeRows& rows, const ChannelAffine* affine, std::int64_t z, std::int64_t y, float* out) {
    thread_local std::vector<float> normalised;
    const std::int64_t values = rows.extents[2] * rows.channels;
    normalised.resize(static_cast<std::size_t>(affine != nullptr ? 4 * values : 0));
    std::array<const float*, 4> sources{};
    for (std::int64_t i = 0; i < 4; ++i) {
        sources[i] = rows.row(2 * z + i / 2, 2 * y + i % 2);
        if (affine == nullptr) continue;
        float* row = normalised.data() + i * values;
        normalise(sources[i], rows.extents[2], rows.channels, *affine, true, row,
                  static_cast<std::size_t>(rows.channels));
        sources[i] = row;
    }
    HWY_DYNAMIC_DISPATCH(pool_rows)
    (sources, static_cast<std::size_t>(rows.extents[2] / 2), static_cast<std::size_t>(rows.channels), out);
}

void nearest_row(const VolumeRows& rows, std::int64_t z, std::int64_t y, float* out) {
    const float* in = rows.row(z / 2, y / 2);
    for (std::int64_t x = 0; x < rows.extents[2]; ++x, in += rows.channels, out += 2 * rows.channels) {
        std::copy_n(in, rows.channels, out);
        std::copy_n(in, rows.channels, out + rows.channels);
    }
}

void trilinear_row(const VolumeRows& rows, std::int64_t z, std::int64_t y, float* out, std::size_t stride) {
    const Between pz = between(z, rows.extents[0]);
    const VolumeRows low{rows.row(pz.low, 0), rows.extents, rows.channels};
    const VolumeRows high{rows.row(pz.high, 0), rows.extents, rows.channels};
    trilinear_row(low, high, pz.share, y, out, stride);
}

void trilinear_row(const VolumeRows& low_plane, const VolumeRows& high_plane, float low_share, std::int64_t y,
                   float* out, std::size_t stride) {
    thread_local std::vector<float> buffer;
    const std::int64_t width = low_plane.extents[2];
    const std::int64_t channels = low_plane.channels;
    const std::int64_t values = width * channels;
    buffer.resize(static_cast<std::size_t>(3 * values));
    float* low = buffer.data();
    float* high = low + values;
    float* row = high + values;
    const Between py = between(y, low_plane.extents[1]);
    mix(low_plane.row(0, py.low), low_plane.row(0, py.high), py.share, values, low);
    mix(high_plane.row(0, py.low), high_plane.row(0, py.high), py.share, values, high);
    mix(low, high, low_share, values, row);
    for (std::int64_t x = 0; x < 2 * width; ++x, out += stride) {
        const Between px = between(x, width);
        mix(row + px.low * channels, row + px.high * channels, px.share, channels, out);
    }
}

}  // namespace voldiff::ops
#endif

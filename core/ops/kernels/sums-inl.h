// Sums of which mean and variance are made, in the instruction set that is being compiled.

#if defined(VOLDIFF_SUMS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VOLDIFF_SUMS_INL_H
#undef VOLDIFF_SUMS_INL_H
#else
#define VOLDIFF_SUMS_INL_H
#endif

#include "core/ops/kernels/channel_moments.h"
#include "core/ops/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {

// Some values of `lanes` channels: their sums relative to the first of them, which keeps the digits of the variance.
struct Sums {
    Vector pivot, sum, squares;
    int count = 0;

    HWY_INLINE Sums() : pivot(hn::Zero(Floats())), sum(pivot), squares(pivot) {}  // a default one has no target

    HWY_INLINE void add(Vector v) {
        if (count++ == 0) pivot = v;
        const Vector d = hn::Sub(v, pivot);
        sum = hn::Add(sum, d);
        squares = hn::MulAdd(d, d, squares);
    }
    HWY_INLINE void store_at(float* sums) const {  // [3, lanes]
        store(pivot, sums);
        store(sum, sums + lanes);
        store(squares, sums + 2 * lanes);
    }
};

// The moments of `lanes` channels of parts that are merged one after the other.
struct MergedSums {
    double count;
    HWY_ALIGN double mean[lanes] = {};
    HWY_ALIGN double squares[lanes] = {};

    // Channels [first, first + channels) of `all`.
    HWY_INLINE MergedSums(const ChannelMoments& all, std::size_t first, std::size_t channels) : count(all.count) {
        for (std::size_t i = 0; i < channels; ++i) {
            mean[i] = all.mean[first + i];
            squares[i] = all.squares[first + i];
        }
    }
    // sums [3, lanes] of `values` values.
    HWY_INLINE void merge(const float* sums, double values) {
        const double inverse = 1 / values;
        for (std::size_t i = 0; i < lanes; ++i) {
            const double s = sums[lanes + i], offset = s * inverse;
            merge_moments(count, mean[i], squares[i], values, sums[i] + offset, sums[2 * lanes + i] - offset * s);
        }
        count += values;
    }
    // All but the count, which the other channels still need as it was.
    HWY_INLINE void put_into(ChannelMoments& all, std::size_t first, std::size_t channels) const {
        for (std::size_t i = 0; i < channels; ++i) {
            all.mean[first + i] = mean[i];
            all.squares[first + i] = squares[i];
        }
    }
};

}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

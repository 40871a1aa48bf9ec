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
    // Into channels [first, first + channels) of `all`, whose own count is still without these.
    HWY_INLINE void merge_into(ChannelMoments& all, std::size_t first, std::size_t channels) const {
        HWY_ALIGN float p[lanes], s[lanes], q[lanes];
        store(pivot, p);
        store(sum, s);
        store(squares, q);
        const double n = all.count, inverse = 1.0 / count;
        for (std::size_t i = 0; i < channels; ++i) {
            const double offset = s[i] * inverse;
            merge_moments(n, all.mean[first + i], all.squares[first + i], count, p[i] + offset, q[i] - offset * s[i]);
        }
    }
};

}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

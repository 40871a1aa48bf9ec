// Winograd's transforms of one axis, in the instruction set that is being compiled; see tile_kernels.h.
// Included once for each of them: see "foreach_target" in Highway's documentation.

#if defined(VOLDIFF_WINOGRAD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VOLDIFF_WINOGRAD_INL_H
#undef VOLDIFF_WINOGRAD_INL_H
#else
#define VOLDIFF_WINOGRAD_INL_H
#endif

#include "core/ops/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {

HWY_INLINE Vector constant(double x) { return hn::Set(Floats(), static_cast<float>(x)); }

// The transforms of one axis. The points are in groups, in which a tile is worked on along z, so that less memory is in
// use at a time: `group_input` maps the values d to those at the points of a group, `group_output` what the group adds
// to output Z; `order` lists the points of one group after the other. `output` maps the products m[0], m[s], ... at all
// points to the outputs, `filter` the 3 weights to the points.

// F(1, 3), the plain sum: its points are the three values.
struct One {
    static constexpr int taps = 3, step = 1, outputs = 1;
    static constexpr int groups = 1, group_points = 3;
    static constexpr int order[taps] = {0, 1, 2};

    template <int GROUP>
    static HWY_INLINE void group_input(const Vector* d, Vector* u) {
        for (int i = 0; i < taps; ++i) u[i] = d[i];
    }
    static HWY_INLINE void output(const Vector* m, int s, Vector* y, int) {
        y[0] = hn::Add(hn::Add(m[0], m[s]), m[2 * s]);
    }
    template <int GROUP, int Z>
    static HWY_INLINE Vector group_output(Vector m0, Vector m1, Vector m2) {
        return hn::Add(hn::Add(m0, m1), m2);
    }
    static constexpr bool adds(int, int) { return true; }
    template <class T>
    static HWY_INLINE void filter(T w0, T w1, T w2, T* u, std::size_t s) {
        u[0] = w0;
        u[s] = w1;
        u[2 * s] = w2;
    }
};

// F(2, 3), points 0, 1, -1 and infinity.
struct Two {
    static constexpr int taps = 4, step = 2, outputs = 2;
    static constexpr int groups = 2, group_points = 2;
    static constexpr int order[taps] = {1, 2, 0, 3};

    template <int GROUP>
    static HWY_INLINE void group_input(const Vector* d, Vector* u) {
        u[0] = GROUP == 0 ? hn::Add(d[1], d[2]) : hn::Sub(d[0], d[2]);
        u[1] = GROUP == 0 ? hn::Sub(d[2], d[1]) : hn::Sub(d[1], d[3]);
    }
    static HWY_INLINE void output(const Vector* m, int s, Vector* y, int t) {
        const Vector m1 = m[s], m2 = m[2 * s];
        y[0] = hn::Add(hn::Add(m[0], m1), m2);
        y[t] = hn::Sub(hn::Sub(m1, m2), m[3 * s]);
    }
    template <int GROUP, int Z>
    static HWY_INLINE Vector group_output(Vector m0, Vector m1, Vector) {
        if (GROUP == 0) return Z == 0 ? hn::Add(m0, m1) : hn::Sub(m0, m1);
        return Z == 0 ? m0 : hn::Neg(m1);
    }
    static constexpr bool adds(int, int) { return true; }
    template <class T>
    static HWY_INLINE void filter(T w0, T w1, T w2, T* u, std::size_t s) {
        u[0] = w0;
        u[s] = 0.5 * (w0 + w1 + w2);
        u[2 * s] = 0.5 * (w0 - w1 + w2);
        u[3 * s] = w2;
    }
};

// F(4, 3), points 0, 2/3, -2/3, 3/2, -3/2 and infinity. Their choice costs nothing and decides the rounding error: with
// 0, 1, -1, 2, -2 that of f444 is 3.5 times larger.
struct Four {
    static constexpr int taps = 6, step = 4, outputs = 4;
    static constexpr int groups = 3, group_points = 2;
    static constexpr int order[taps] = {1, 2, 0, 5, 3, 4};
    static constexpr double a = 2.0 / 3.0, b = 1.5;  // a b = 1

    template <int GROUP>
    static HWY_INLINE void group_input(const Vector* d, Vector* u) {
        if (GROUP == 1) {
            u[0] = hn::Add(d[0], hn::NegMulAdd(constant(a * a + b * b), d[2], d[4]));
            u[1] = hn::Add(d[1], hn::NegMulAdd(constant(a * a + b * b), d[3], d[5]));
            return;
        }
        const double own = GROUP == 0 ? a : b, other = GROUP == 0 ? b : a;
        const Vector even = hn::NegMulAdd(constant(other * other), d[2], d[4]);
        const Vector odd = hn::Mul(constant(own), hn::NegMulAdd(constant(other * other), d[1], d[3]));
        u[0] = hn::Add(even, odd);
        u[1] = hn::Sub(even, odd);
    }
    static HWY_INLINE void output(const Vector* m, int s, Vector* y, int t) {
        const Vector even_a = hn::Add(m[s], m[2 * s]), odd_a = hn::Sub(m[s], m[2 * s]);
        const Vector even_b = hn::Add(m[3 * s], m[4 * s]), odd_b = hn::Sub(m[3 * s], m[4 * s]);
        y[0] = hn::Add(hn::Add(m[0], even_a), even_b);
        y[t] = hn::MulAdd(constant(b), odd_b, hn::Mul(constant(a), odd_a));
        y[2 * t] = hn::MulAdd(constant(b * b), even_b, hn::Mul(constant(a * a), even_a));
        y[3 * t] = hn::Add(hn::MulAdd(constant(b * b * b), odd_b, hn::Mul(constant(a * a * a), odd_a)), m[5 * s]);
    }
    template <int GROUP, int Z>
    static HWY_INLINE Vector group_output(Vector m0, Vector m1, Vector) {
        if (GROUP == 1) return Z == 0 ? m0 : m1;
        const double point = GROUP == 0 ? a : b;
        if (Z == 0) return hn::Add(m0, m1);
        const double power = Z == 1 ? point : Z == 2 ? point * point : point * point * point;
        return hn::Mul(constant(power), Z == 2 ? hn::Add(m0, m1) : hn::Sub(m0, m1));
    }
    static constexpr bool adds(int group, int z) { return group != 1 || z == 0 || z == 3; }
    template <class T>
    static HWY_INLINE void filter(T w0, T w1, T w2, T* u, std::size_t s) {
        constexpr double na = 1 / (2 * a * a * (a * a - b * b)), nb = 1 / (2 * b * b * (b * b - a * a));
        u[0] = w0;
        u[s] = na * (w0 + a * w1 + a * a * w2);
        u[2 * s] = na * (w0 - a * w1 + a * a * w2);
        u[3 * s] = nb * (w0 + b * w1 + b * b * w2);
        u[4 * s] = nb * (w0 - b * w1 + b * b * w2);
        u[5 * s] = w2;
    }
};

// F(2, 3) of a signal in which every value stands twice: one of its four products is zero.
// y[2i] = S x[i] + w0 (x[i-1] - x[i]), y[2i+1] = S x[i] - w2 (x[i] - x[i+1]), S = w0 + w1 + w2.
struct Doubled {
    static constexpr int taps = 3, step = 1, outputs = 2;
    static constexpr int groups = 1, group_points = 3;
    static constexpr int order[taps] = {0, 1, 2};

    template <int GROUP>
    static HWY_INLINE void group_input(const Vector* d, Vector* u) {
        u[0] = hn::Sub(d[0], d[1]);
        u[1] = d[1];
        u[2] = hn::Sub(d[1], d[2]);
    }
    static HWY_INLINE void output(const Vector* m, int s, Vector* y, int t) {
        y[0] = hn::Add(m[0], m[s]);
        y[t] = hn::Sub(m[s], m[2 * s]);
    }
    template <int GROUP, int Z>
    static HWY_INLINE Vector group_output(Vector m0, Vector m1, Vector m2) {
        return Z == 0 ? hn::Add(m0, m1) : hn::Sub(m1, m2);
    }
    static constexpr bool adds(int, int) { return true; }
    template <class T>
    static HWY_INLINE void filter(T w0, T w1, T w2, T* u, std::size_t s) {
        u[0] = w0;
        u[s] = w0 + w1 + w2;
        u[2 * s] = w2;
    }
};

// A signal with zeros between its values: y[2i] = w1 x[i], y[2i+1] = w0 x[i] + w2 x[i+1]. Nothing is saved but the
// products with zeros; the value before x[i] is read in vain.
struct Stuffed {
    static constexpr int taps = 3, step = 1, outputs = 2;
    static constexpr int groups = 1, group_points = 3;
    static constexpr int order[taps] = {0, 1, 2};

    template <int GROUP>
    static HWY_INLINE void group_input(const Vector* d, Vector* u) {
        u[0] = d[1];
        u[1] = d[1];
        u[2] = d[2];
    }
    static HWY_INLINE void output(const Vector* m, int s, Vector* y, int t) {
        y[0] = m[0];
        y[t] = hn::Add(m[s], m[2 * s]);
    }
    template <int GROUP, int Z>
    static HWY_INLINE Vector group_output(Vector m0, Vector m1, Vector m2) {
        return Z == 0 ? m0 : hn::Add(m1, m2);
    }
    static constexpr bool adds(int, int) { return true; }
    template <class T>
    static HWY_INLINE void filter(T w0, T w1, T w2, T* u, std::size_t s) {
        u[0] = w1;
        u[s] = w0;
        u[2 * s] = w2;
    }
};

// The values of one axis, d[0], d[1], ..., become those at all points.
template <class Axis, int GROUP = 0>
HWY_INLINE void to_points(const Vector* line, Vector* d) {
    if constexpr (GROUP < Axis::groups) {
        Vector u[Axis::group_points];
        Axis::template group_input<GROUP>(line, u);
#pragma GCC unroll 3
        for (int i = 0; i < Axis::group_points; ++i) d[Axis::order[GROUP * Axis::group_points + i]] = u[i];
        to_points<Axis, GROUP + 1>(line, d);
    }
}
template <class Axis>
HWY_INLINE void to_points(Vector* d) {
    Vector line[Axis::taps];
#pragma GCC unroll 6
    for (int i = 0; i < Axis::taps; ++i) line[i] = d[i];
    to_points<Axis, 0>(line, d);
}

}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

// The functions that are made of exp, in the instruction set that is being compiled.

#if defined(VOLDIFF_EXP_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VOLDIFF_EXP_INL_H
#undef VOLDIFF_EXP_INL_H
#else
#define VOLDIFF_EXP_INL_H
#endif

#include "core/ops/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {

// exp(x) = 2^n exp(r), n whole, |r| <= ln(2) / 2, for arguments up to 88; about 0 below -87. Taylor's series, 0.7 ulp
// at most where products and sums are fused. Highway's takes twice the time, and SiLU is met often enough for that to
// show. NaN stays NaN.
HWY_INLINE Vector exp_up_to_88(Vector x) {
    // 1.5 * 2^23: what is added to it is rounded to whole numbers, and 127 of them make a float's exponent.
    const Vector rounder = broadcast(12582912.0F + 127.0F);
    x = hn::Max(broadcast(-87.0F), x);  // in this order, or NaN is lost
    const Vector shifted = hn::MulAdd(x, broadcast(1.44269504F), rounder);
    const Vector n = hn::Sub(shifted, rounder);
    const Vector r = hn::NegMulAdd(n, broadcast(1.42860677e-6F), hn::NegMulAdd(n, broadcast(0.693145752F), x));
    constexpr float coefficients[] = {1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1.0F, 1.0F};
    Vector p = broadcast(1.0F / 5040);
#pragma GCC unroll 7
    for (const float coefficient : coefficients) p = hn::MulAdd(p, r, broadcast(coefficient));
    const auto power = hn::ShiftLeft<23>(hn::BitCast(hn::RebindToSigned<Floats>(), shifted));
    return hn::Mul(p, hn::BitCast(Floats(), power));
}

// x / (1 + exp(-x)); below -88 the result is a denormal number or zero.
HWY_INLINE Vector silu(Vector x) {
    const Vector e = exp_up_to_88(hn::Min(hn::Neg(x), broadcast(88.0F)));
    return hn::Div(x, hn::Add(broadcast(1.0F), e));
}

}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

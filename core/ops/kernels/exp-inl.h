// The functions that are made of exp, in the instruction set that is being compiled.

#if defined(VOLDIFF_EXP_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VOLDIFF_EXP_INL_H
#undef VOLDIFF_EXP_INL_H
#else
#define VOLDIFF_EXP_INL_H
#endif

#include "core/ops/kernels/vector-inl.h"

#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {

// Highway's exp, for arguments up to 88: it does not reach infinity beyond.
HWY_INLINE Vector exp_up_to_88(Vector x) { return hn::Exp(Floats(), x); }

// x / (1 + exp(-x)); below -88 the result is a denormal number or zero.
HWY_INLINE Vector silu(Vector x) {
    const Vector e = exp_up_to_88(hn::Min(hn::Neg(x), broadcast(88.0F)));
    return hn::Div(x, hn::Add(broadcast(1.0F), e));
}

}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

// Vectors of floats in the instruction set that is being compiled.
// Included once for each of them: see "foreach_target" in Highway's documentation.

#if defined(VOLDIFF_VECTOR_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VOLDIFF_VECTOR_INL_H
#undef VOLDIFF_VECTOR_INL_H
#else
#define VOLDIFF_VECTOR_INL_H
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

// Floats of a vector; a constant, as targets with vectors of unknown size are left out.
constexpr std::size_t lanes = hn::MaxLanes(Floats());

HWY_INLINE Vector load(const float* p) { return hn::LoadU(Floats(), p); }
HWY_INLINE void store(Vector v, float* p) { hn::StoreU(v, Floats(), p); }
HWY_INLINE Vector broadcast(float x) { return hn::Set(Floats(), x); }
HWY_INLINE std::size_t padded(std::size_t channels) { return (channels + lanes - 1) / lanes * lanes; }

// The first `count` lanes at p, which may be the end of an array.
HWY_INLINE Vector load_some(const float* p, std::size_t count) {
    if (count == lanes) return load(p);
    HWY_ALIGN float values[lanes] = {};
    for (std::size_t i = 0; i < count; ++i) values[i] = p[i];
    return load(values);
}
HWY_INLINE void store_some(Vector v, float* p, std::size_t count) {
    if (count == lanes) return store(v, p);
    HWY_ALIGN float values[lanes];
    store(v, values);
    for (std::size_t i = 0; i < count; ++i) p[i] = values[i];
}

}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

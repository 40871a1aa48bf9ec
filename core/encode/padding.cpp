#include "core/encode/padding.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>

namespace voldiff {

namespace {

Extents last_three(const at::Tensor& x) { return {x.size(-3), x.size(-2), x.size(-1)}; }

}  // namespace

Extents padded_size(const Extents& size, std::int64_t multiple) {
    Extents padded{};
    for (std::size_t axis = 0; axis < 3; ++axis) padded[axis] = (size[axis] + multiple - 1) / multiple * multiple;
    return padded;
}

Extents padding_before(const Extents& size, const Extents& padded) {
    return {(padded[0] - size[0]) / 2, (padded[1] - size[1]) / 2, (padded[2] - size[2]) / 2};
}

at::Tensor pad_to(const at::Tensor& x, const Extents& padded) {
    const Extents size = last_three(x);
    if (size == padded) return x;
    const Extents before = padding_before(size, padded);
    std::array<std::int64_t, 6> padding{};  // the last axis first
    for (std::size_t axis = 0; axis < 3; ++axis) {
        padding[2 * (2 - axis)] = before[axis];
        padding[2 * (2 - axis) + 1] = padded[axis] - size[axis] - before[axis];
    }
    return at::constant_pad_nd(x, padding);
}

at::Tensor crop_to(const at::Tensor& x, const Extents& size) {
    const Extents before = padding_before(size, last_three(x));
    at::Tensor part = x;
    for (std::size_t axis = 0; axis < 3; ++axis)
        part = part.narrow(static_cast<std::int64_t>(axis) - 3, before[axis], size[axis]);
    return part.contiguous();
}

}  // namespace voldiff

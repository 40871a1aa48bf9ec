#include "core/anatomy/box.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>

namespace voldiff {

std::optional<Box> box_around(const at::Tensor& mask, std::int64_t margin) {
    Box box{};
    const at::Tensor shadow = mask.any(2);  // [X, Y]
    const std::array<at::Tensor, 3> occupied = {shadow.any(1), shadow.any(0), mask.any(0).any(0)};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const at::Tensor places = occupied[axis].nonzero();
        if (places.numel() == 0) return std::nullopt;
        const std::int64_t first = std::max<std::int64_t>(places[0].item<std::int64_t>() - margin, 0);
        const std::int64_t last = std::min(places[-1].item<std::int64_t>() + margin, occupied[axis].size(0) - 1);
        box.start[axis] = first;
        box.size[axis] = last - first + 1;
    }
    return box;
}

at::Tensor part_of(const at::Tensor& volume, const Box& box) {
    at::Tensor part = volume;
    for (std::size_t axis = 0; axis < 3; ++axis)
        part = part.narrow(static_cast<std::int64_t>(axis), box.start[axis], box.size[axis]);
    return part;
}

}  // namespace voldiff

// The part of a volume that a mask takes up, so that work on one organ does not cost a whole body.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>

namespace voldiff {

struct Box {
    std::array<std::int64_t, 3> start;
    std::array<std::int64_t, 3> size;
};

// The smallest box with every voxel of `mask` [X, Y, Z] in it, `margin` voxels larger on each side where the volume
// goes on. None for an empty mask.
std::optional<Box> box_around(const at::Tensor& mask, std::int64_t margin = 0);

// That part of `volume` [X, Y, Z], sharing its memory.
at::Tensor part_of(const at::Tensor& volume, const Box& box);

}  // namespace voldiff

// How a convolution is computed: the one table that decides it.
#pragma once

#include "core/ops/kernels/tile_kernels.h"
#include "core/ops/upsample.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace voldiff::ops {

struct ConvShape {
    std::int64_t inputs = 0;
    std::int64_t outputs = 0;
    std::array<std::int64_t, 3> extents{};  // of the output, z y x
    Upsampling upsampling = Upsampling::none;
    std::vector<ConvVariant> packed;  // variants whose weights the layer has packed already
    std::int64_t most_planes = 4;     // of a tile's output: planes that are kept for a step cost memory
    bool stays_packed = true;         // else the weights are packed for one use and need no budget
};

// The variant for a 3x3x3 convolution with stride 1 and padding 1; nothing where LibTorch does it.
std::optional<ConvVariant> choose_conv(const ConvShape& shape);

// Off: everything is left to LibTorch, also norms and attention, for comparisons with the reference. On at the start.
void use_own_kernels(bool on);
bool own_kernels();

}  // namespace voldiff::ops

// Products of rows with the weights of a layer, in float32: linear layers, and 1x1x1 convolutions of channels-last
// volumes.
#pragma once

#include "core/ops/kernels/buffer.h"

#include <cstddef>
#include <cstdint>

namespace voldiff::ops {

struct PackedLinear {
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    Buffer weight;  // [panels, inputs, columns of the panel], see tile_kernels.h
    Buffer bias;    // [outputs, padded to whole vectors]
};

// weight [K, C], contiguous; bias [K], null for none.
PackedLinear pack_linear(std::size_t outputs, std::size_t inputs, const float* weight, const float* bias);

// y [rows, K] = x [rows, C] weight^T + bias + residual [rows, K]; residual may be null, or y itself.
void multiply_rows(const PackedLinear& linear, const float* x, std::int64_t rows, const float* residual, float* y);

}  // namespace voldiff::ops

// The matrix products between the two transforms of a convolution: by a matrix unit where the machine has one and the
// layer suits it, by vectors otherwise.
#pragma once

#include "core/ops/kernels/tile_kernels.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace voldiff::ops {

// Rows at the points of a tile kernel, from first_point on: a[point][rows, depth] -> c[point][rows, columns].
struct PointRows {
    std::size_t rows = 0;
    std::size_t first_point = 0;
    const float* a = nullptr;
    std::size_t a_point = 0, lda = 0;  // floats from a point to the next, from a row to the next
    float* c = nullptr;
    std::size_t c_point = 0, ldc = 0;
};

// Lines of voxels, of which each is multiplied by its 27 neighbours' weights: -> c[lines * voxels, columns].
struct NeighbourRows {
    std::vector<std::array<const float*, 3>> lines;  // the first neighbour of the first voxel, in its three planes
    std::size_t voxels = 0;                          // of a line
    std::size_t row_stride = 0, channels = 0;        // floats from a row to the next, from a voxel to the next
    float* c = nullptr;
    std::size_t ldc = 0;

    const float* neighbour(std::size_t line, std::size_t tap) const {
        return lines[line][tap / 9] + tap / 3 % 3 * row_stride + tap % 3 * channels;
    }
};

// With the packed weights [points, panels, depth, columns of a panel] of a layer, which must outlive this.
class TileProducts {
  public:
    struct Range {
        std::size_t begin, end;
    };

    virtual ~TileProducts() = default;

    // Tiles that one thread should hold at a time: enough to use each weight often, few enough for the second cache.
    virtual std::int64_t tiles_of_block() const = 0;
    // Tiles are multiplied in multiples of these.
    virtual std::int64_t even_rows() const = 0;
    // Parts of all products of which each is worth a call, where `workers` threads share them.
    virtual std::int64_t shares(std::int64_t products, std::int64_t workers) const = 0;

    // Range: of pairs of a point and a panel, panels first.
    virtual void multiply_points(const PointRows& rows, Range range) const = 0;
    // Range: of panels.
    virtual void multiply_neighbours(const NeighbourRows& rows, Range panels) const = 0;
};

// depth: of a point, or of all neighbours; columns: padded outputs.
std::unique_ptr<const TileProducts> tile_products(const TileKernels& kernels, std::size_t depth, std::size_t columns,
                                                  const float* packed);

}  // namespace voldiff::ops

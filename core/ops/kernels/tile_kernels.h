// The arithmetic of 3x3x3 convolutions on single tiles, in the instruction set of the machine.
//
// Winograd's minimal filtering (Lavin and Gray, arXiv:1509.09308) along each of the three axes: a tile of the input is
// transformed to `points` values a channel, at each point the channels are multiplied by the transformed weights, and
// the products are transformed back to a tile of the output.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace voldiff::ops {

// Output voxels of a tile along z, y and x. Fewer products a voxel, larger rounding errors, more memory for weights:
// f122 2.3 times fewer, f222 3.4, f224 4.5, f244 6, f444 8. `nearest_2x` is the convolution of the volume doubled by
// nearest neighbours, exactly, with 8 times fewer products; `zeros_2x` the same for zeros between the voxels (a
// transposed convolution). `direct` is the plain sum; so are `narrow`, fast for few outputs, and `shallow`, for few
// inputs.
enum class ConvVariant { direct, f122, f222, f224, f244, f444, nearest_2x, zeros_2x, narrow, shallow };
constexpr std::size_t conv_variants = 10;

struct TileInput {
    std::int64_t group = 0;                // of points
    std::array<const float*, 6> planes{};  // where the tile starts in each of its padded planes
    std::size_t row_stride = 0;            // floats from a row to the next
    std::size_t channels = 0;              // a multiple of `input_lanes`; also the floats from a voxel to the next
    float* points = nullptr;               // [points of the group, ..., channels]
    std::size_t point_stride = 0;
    const float* weight = nullptr;  // packed; for kernels that multiply themselves
    std::size_t outputs = 0;
};

// The groups of points come in ascending order: the first stores, the others add to what it stored.
struct TileOutput {
    std::int64_t group = 0;
    const float* points = nullptr;  // [points of the group, ..., padded channels]
    std::size_t point_stride = 0;
    const float* bias = nullptr;             // [padded channels]
    std::array<float*, 4> planes{};          // where the tile starts in each of its planes
    std::array<const float*, 4> residual{};  // added, at the same places; null for none
    std::size_t row_stride = 0;
    std::size_t channels = 0;               // also the floats from a voxel to the next
    std::array<std::int64_t, 3> extents{};  // voxels of the tile inside the volume, z y x
    float* sums = nullptr;                  // [sums_of_part], of what is stored; null for none
};

struct TileKernels {
    std::array<std::int64_t, 3> taps{};    // input voxels of a tile, z y x
    std::array<std::int64_t, 3> step{};    // input voxels from a tile to the next
    std::array<std::int64_t, 3> output{};  // output voxels of a tile
    std::size_t points = 0;
    std::int64_t groups = 1;  // parts of the points, all of the same size, that can be worked on one after the other
    std::size_t terms = 1;    // input values of a channel that are summed at a point: 27 for `direct`
    std::size_t lanes = 1;    // outputs are padded to a multiple of these
    std::size_t input_lanes = 1;  // inputs to a multiple of these

    // weight [K, C, 3, 3, 3] -> [points, panels of columns, terms * C', columns of the panel], for the panels
    // [first, last); C' is C, or C padded for `direct`. K is padded with zeros. `narrow` has a layout of its own.
    void (*pack)(const float* weight, std::size_t outputs, std::size_t inputs, std::size_t first, std::size_t last,
                 float* packed) = nullptr;
    void (*load)(const TileInput& tile) = nullptr;  // null where the products take voxels as they are
    void (*store)(const TileOutput& tile) = nullptr;
    bool multiplied = true;  // between load and store; else `load` leaves the products
};

// c[rows, panel's columns] (+)= a[rows, depth] b, where b is the panel of a packed matrix [panels, depth, columns].
struct PanelProduct {
    std::size_t rows = 0;
    std::size_t depth = 0;
    std::size_t columns = 0;  // of the whole matrix, padded to a multiple of `lanes`
    std::size_t panel = 0;
    const float* a = nullptr;  // lda floats from row to row
    std::size_t lda = 0;
    const float* packed = nullptr;  // the whole matrix
    float* c = nullptr;             // the whole row; ldc floats from row to row
    std::size_t ldc = 0;
    bool add = false;  // to what c holds
};

const TileKernels& tile_kernels(ConvVariant variant);
void multiply(const PanelProduct& product);
std::size_t panels_of(std::size_t columns);
std::size_t panel_width(std::size_t columns, std::size_t panel);

}  // namespace voldiff::ops

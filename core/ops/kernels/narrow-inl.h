// Convolutions with so few outputs that a vector of them would be mostly empty, as 64 -> 1: here the inputs of a voxel
// are the vector. The plain sum, a line of voxels at a time.
// Included once for each instruction set: see "foreach_target" in Highway's documentation.

#if defined(VOLDIFF_NARROW_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VOLDIFF_NARROW_INL_H
#undef VOLDIFF_NARROW_INL_H
#else
#define VOLDIFF_NARROW_INL_H
#endif

#include "core/ops/kernels/multiply-inl.h"
#include "core/ops/kernels/tile_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {

// Output voxels of a tile, along x; their sums and partial sums stay in registers.
constexpr int line_voxels = many_registers ? 8 : 4;

// weight [K, C, 3, 3, 3] -> [K, z y, vectors of channels, x, lanes]; everything with the first panel.
inline void pack_narrow(const float* weight, std::size_t outputs, std::size_t inputs, std::size_t first, std::size_t,
                        float* packed) {
    for (std::size_t k = 0; k < (first == 0 ? outputs : 0); ++k) {
        for (std::size_t row = 0; row < 9; ++row) {
            for (std::size_t c = 0; c < padded(inputs); ++c) {
                float* out = packed + ((k * 9 + row) * padded(inputs) + c / lanes * lanes) * 3 + c % lanes;
                const float* in = weight + (k * inputs + c) * 27 + row * 3;
                for (std::size_t x = 0; x < 3; ++x) out[x * lanes] = c < inputs ? in[x] : 0;
            }
        }
    }
}

// sums += one row of voxels times its weights, for the `line_voxels` voxels that it reaches.
HWY_INLINE void add_row(const float* row, std::size_t channels, const float* weight, Vector* sums) {
    Vector part[line_voxels];
#pragma GCC unroll 8
    for (int i = 0; i < line_voxels; ++i) part[i] = hn::Zero(Floats());
    for (std::size_t c = 0; c < channels; c += lanes, weight += 3 * lanes) {
        const Vector left = load(weight), middle = load(weight + lanes), right = load(weight + 2 * lanes);
#pragma GCC unroll 8
        for (int i = 0; i < line_voxels; ++i) {
            part[i] = hn::MulAdd(load(row + i * channels + c), left, part[i]);
            part[i] = hn::MulAdd(load(row + (i + 1) * channels + c), middle, part[i]);
            part[i] = hn::MulAdd(load(row + (i + 2) * channels + c), right, part[i]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < line_voxels; ++i) sums[i] = hn::Add(sums[i], part[i]);
}

// One output of a line of voxels, each at its point.
HWY_INLINE void sum_line(const TileInput& tile, const float* weight, std::size_t output) {
    Vector sums[line_voxels];
#pragma GCC unroll 8
    for (int i = 0; i < line_voxels; ++i) sums[i] = hn::Zero(Floats());
    for (int z = 0; z < 3; ++z) {
        for (int y = 0; y < 3; ++y, weight += 3 * tile.channels) {
            add_row(tile.planes[z] + y * tile.row_stride, tile.channels, weight, sums);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < line_voxels; ++i) {
        tile.points[i * tile.point_stride + output] = hn::GetLane(hn::SumOfLanes(Floats(), sums[i]));
    }
}

inline void load_line(const TileInput& tile) {
    for (std::size_t k = 0; k < tile.outputs; k += lanes) {
        for (int i = 0; i < line_voxels; ++i) store(hn::Zero(Floats()), tile.points + i * tile.point_stride + k);
    }
    for (std::size_t k = 0; k < tile.outputs; ++k) sum_line(tile, tile.weight + k * 27 * tile.channels, k);
}

}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

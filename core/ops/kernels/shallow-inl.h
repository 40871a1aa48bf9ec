// Convolutions with few inputs, as 4 -> 64: padded to whole vectors they would be mostly zeros. Here they are not
// padded: the three neighbours of a voxel along x are a row of a matrix [voxels, 3 C], that of the next voxel begins C
// floats on. Included once for each instruction set: see "foreach_target" in Highway's documentation.

#if defined(VOLDIFF_SHALLOW_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VOLDIFF_SHALLOW_INL_H
#undef VOLDIFF_SHALLOW_INL_H
#else
#define VOLDIFF_SHALLOW_INL_H
#endif

#include "core/ops/kernels/multiply-inl.h"
#include "core/ops/kernels/tile_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {

// Output voxels of a tile, along x, and those of them whose sums for a panel of outputs stay in registers.
constexpr int shallow_voxels = many_registers ? 8 : 6;
constexpr int shallow_rows = HWY_MIN(shallow_voxels, 16 / static_cast<int>(panel_vectors));

// points [shallow_rows, VECTORS * lanes] (+)= what the voxels of one plane add; weight [3, 3 C, VECTORS * lanes].
template <int VECTORS, bool ADD>
HWY_INLINE void sum_plane(const TileInput& tile, const float* plane, const float* weight, float* points) {
    constexpr int groups = (shallow_rows + 2) / 3;
    Block<shallow_rows, VECTORS> sums;
    for (std::size_t y = 0; y < 3; ++y, plane += tile.row_stride) {
        const float* rows[groups];
#pragma GCC unroll 3
        for (int g = 0; g < groups; ++g) rows[g] = plane + 3 * g * tile.channels;
        for (std::size_t k = 0; k < 3 * tile.channels; ++k, weight += VECTORS * lanes) {
            sums.add_product(rows, tile.channels, k, weight);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < shallow_rows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < VECTORS; ++j) {
            float* p = points + i * tile.point_stride + j * lanes;
            store(ADD ? hn::Add(load(p), sums.sum[i][j]) : sums.sum[i][j], p);
        }
    }
}

template <int VECTORS>
HWY_NOINLINE void sum_panel(const TileInput& tile, const float* weight, float* points) {
    const std::size_t step = 9 * tile.channels * VECTORS * lanes;
    for (int voxel = 0; voxel < shallow_voxels; voxel += shallow_rows, points += shallow_rows * tile.point_stride) {
        const std::size_t offset = voxel * tile.channels;
        sum_plane<VECTORS, false>(tile, tile.planes[0] + offset, weight, points);
        sum_plane<VECTORS, true>(tile, tile.planes[1] + offset, weight + step, points);
        sum_plane<VECTORS, true>(tile, tile.planes[2] + offset, weight + 2 * step, points);
    }
}

// A panel of one vector less, until it fits.
template <int VECTORS>
HWY_INLINE void sum_panel_of(std::size_t vectors, const TileInput& tile, const float* weight, float* points) {
    if constexpr (VECTORS > 1) {
        if (vectors < VECTORS) return sum_panel_of<VECTORS - 1>(vectors, tile, weight, points);
    }
    sum_panel<VECTORS>(tile, weight, points);
}

inline void load_shallow_line(const TileInput& tile) {
    const std::size_t columns = padded(tile.outputs);
    const float* weight = tile.weight;
    for (std::size_t panel = 0; panel < panel_count(columns); ++panel) {
        const std::size_t width = packed_panel_width(columns, panel);
        sum_panel_of<panel_vectors>(width / lanes, tile, weight, tile.points + panel * panel_columns);
        weight += 27 * tile.channels * width;
    }
}

}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

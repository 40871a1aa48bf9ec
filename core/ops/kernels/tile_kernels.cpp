#include "core/ops/kernels/tile_kernels.h"

#include "core/ops/kernels/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/ops/kernels/tile_kernels.cpp"  // NOLINT: Highway includes this file once a target
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/ops/kernels/multiply-inl.h"
#include "core/ops/kernels/narrow-inl.h"
#include "core/ops/kernels/shallow-inl.h"
#include "core/ops/kernels/sums-inl.h"
#include "core/ops/kernels/winograd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {
namespace {

// Stores the plane's voxels that lie inside the volume, channels [c, c + count), or adds them to what FIRST ones left.
// Fetches what is stored next: the following channels, or after the last of them the next tile along x.
template <int COLUMNS, bool FIRST, bool LAST>
HWY_INLINE void store_plane(const TileOutput& tile, std::int64_t z, std::size_t c, std::size_t count, const Vector* y,
                            Sums& sums) {
    const std::size_t next = c + lanes < tile.channels ? lanes : COLUMNS * tile.channels - c;
    const Vector bias = load(tile.bias + c);
    for (std::int64_t row = 0; row < tile.extents[1]; ++row) {
        for (std::int64_t x = 0; x < tile.extents[2]; ++x) {
            const std::size_t offset = row * tile.row_stride + x * tile.channels + c;
            float* out = tile.planes[z] + offset;
            Vector v = hn::Add(y[row * COLUMNS + x], FIRST ? bias : load_some(out, count));
            if (FIRST && tile.residual[z] != nullptr) v = hn::Add(v, load_some(tile.residual[z] + offset, count));
            store_some(v, out, count);
            hwy::Prefetch(out + next);
            if (LAST && tile.sums != nullptr) sums.add(v);
        }
    }
}

template <class Z, class Y, class X>
struct Winograd {
    static constexpr int plane_points = Y::taps * X::taps;
    static constexpr int points = Z::taps * plane_points;
    static constexpr int plane_voxels = Y::outputs * X::outputs;

    // One row of the tile: its points along z and x. The same row of the next tile along x is fetched meanwhile: its
    // voxels are too far apart for the machine to guess.
    template <int GROUP>
    static HWY_INLINE void load_row(const TileInput& tile, std::size_t offset, Vector* row) {
#pragma GCC unroll 6
        for (int x = 0; x < X::taps; ++x) {
            Vector line[Z::taps], u[Z::group_points];
#pragma GCC unroll 6
            for (int z = 0; z < Z::taps; ++z) line[z] = load(tile.planes[z] + offset + x * tile.channels);
            Z::template group_input<GROUP>(line, u);
#pragma GCC unroll 3
            for (int z = 0; z < Z::group_points; ++z) row[z * X::taps + x] = u[z];
        }
#pragma GCC unroll 3
        for (int z = 0; z < Z::group_points; ++z) to_points<X>(row + z * X::taps);
        if (GROUP > 0) return;
        for (int z = 0; z < Z::taps; ++z) {
#pragma GCC unroll 6
            for (int x = X::taps; x < X::taps + X::step; ++x) {
                hwy::Prefetch(tile.planes[z] + offset + x * tile.channels);
            }
        }
    }

    template <int GROUP>
    static HWY_NOINLINE void load_group(const TileInput& tile) {
        const std::size_t stride = tile.point_stride;
        for (std::size_t c = 0; c < tile.channels; c += lanes) {
            Vector d[Y::taps * Z::group_points * X::taps];  // [y, z, x]
            constexpr int row = Z::group_points * X::taps;
            for (int y = 0; y < Y::taps; ++y) load_row<GROUP>(tile, y * tile.row_stride + c, d + y * row);
            for (int z = 0; z < Z::group_points; ++z) {
                for (int x = 0; x < X::taps; ++x) {
                    Vector column[Y::taps];
#pragma GCC unroll 6
                    for (int y = 0; y < Y::taps; ++y) column[y] = d[y * row + z * X::taps + x];
                    to_points<Y>(column);
                    float* out = tile.points + (z * plane_points + x) * stride + c;
#pragma GCC unroll 6
                    for (int y = 0; y < Y::taps; ++y) store(column[y], out + y * X::taps * stride);
                }
            }
        }
    }

    static void load_tile(const TileInput& tile) {
        if (tile.group == 0) return load_group<0>(tile);
        if constexpr (Z::groups > 1) {
            if (tile.group == 1) return load_group<1>(tile);
        }
        if constexpr (Z::groups > 2) load_group<2>(tile);
    }

    // The points of one plane to its voxels.
    static HWY_INLINE void back_to_plane(const float* in, std::size_t stride, Vector* y) {
        Vector rows[Y::outputs * X::taps];
#pragma GCC unroll 6
        for (int x = 0; x < X::taps; ++x) {
            Vector column[Y::taps];
#pragma GCC unroll 6
            for (int i = 0; i < Y::taps; ++i) column[i] = load(in + (i * X::taps + x) * stride);
            Y::output(column, 1, rows + x, X::taps);
        }
#pragma GCC unroll 4
        for (int r = 0; r < Y::outputs; ++r) X::output(rows + r * X::taps, 1, y + r * X::outputs, 1);
    }

    // What the group adds to the planes from Z on.
    template <int GROUP, int PLANE>
    static HWY_INLINE void store_planes(const TileOutput& tile, std::size_t c, std::size_t count, const Vector* m,
                                        Sums& sums) {
        if constexpr (PLANE < Z::outputs) {
            if (PLANE >= tile.extents[0]) return;
            constexpr bool last = GROUP == Z::groups - 1;
            if constexpr (Z::adds(GROUP, PLANE)) {
                Vector y[plane_voxels];
#pragma GCC unroll 16
                for (int i = 0; i < plane_voxels; ++i) {
                    const Vector third = Z::group_points > 2 ? m[(Z::group_points - 1) * plane_voxels + i] : m[i];
                    y[i] = Z::template group_output<GROUP, PLANE>(m[i], m[plane_voxels + i], third);
                }
                store_plane<X::outputs, GROUP == 0, last>(tile, PLANE, c, count, y, sums);
            } else {
                static_assert(GROUP > 0 && !last, "a group that begins or ends has to pass all planes");
            }
            store_planes<GROUP, PLANE + 1>(tile, c, count, m, sums);
        }
    }

    template <int GROUP>
    static HWY_NOINLINE void store_group(const TileOutput& tile) {
        constexpr bool last = GROUP == Z::groups - 1;
        for (std::size_t c = 0; c < tile.channels; c += lanes) {
            const std::size_t count = HWY_MIN(lanes, tile.channels - c);
            Vector m[Z::group_points * plane_voxels];
            for (int z = 0; z < Z::group_points; ++z) {
                back_to_plane(tile.points + z * plane_points * tile.point_stride + c, tile.point_stride,
                              m + z * plane_voxels);
            }
            Sums sums;
            store_planes<GROUP, 0>(tile, c, count, m, sums);
            if (last && tile.sums != nullptr) sums.store_at(tile.sums + 3 * c);
        }
    }

    static void store_tile(const TileOutput& tile) {
        if (tile.group == 0) return store_group<0>(tile);
        if constexpr (Z::groups > 1) {
            if (tile.group == 1) return store_group<1>(tile);
        }
        if constexpr (Z::groups > 2) store_group<2>(tile);
    }

    static void pack(const float* weight, std::size_t outputs, std::size_t inputs, std::size_t first, std::size_t last,
                     float* packed);
};

// The weights of one input channel for the columns of a panel: [27][panel_columns].
using PanelWeights = double[27][panel_columns];

HWY_INLINE void gather_weights(const float* weight, std::size_t outputs, std::size_t inputs, std::size_t first_column,
                               std::size_t c, PanelWeights& w) {
    for (std::size_t column = 0; column < panel_columns; ++column) {
        const std::size_t k = first_column + column;
        for (int tap = 0; tap < 27; ++tap) w[tap][column] = k < outputs ? weight[(k * inputs + c) * 27 + tap] : 0;
    }
}

// w [3][3][3] -> u [Z][Y][X points], each with its columns.
template <class Z, class Y, class X>
HWY_INLINE void transform_weights(const PanelWeights& w, double (*u)[panel_columns]) {
    constexpr std::size_t columns = panel_columns;
    double along_x[9 * X::taps][columns];
    double along_y[3 * Y::taps * X::taps][columns];
    for (int i = 0; i < 9; ++i) {
        for (std::size_t j = 0; j < columns; ++j) {
            X::filter(w[3 * i][j], w[3 * i + 1][j], w[3 * i + 2][j], &along_x[i * X::taps][j], columns);
        }
    }
    for (int z = 0; z < 3; ++z) {
        for (int x = 0; x < X::taps; ++x) {
            const double(*p)[columns] = &along_x[3 * z * X::taps + x];
            for (std::size_t j = 0; j < columns; ++j) {
                Y::filter(p[0][j], p[X::taps][j], p[2 * X::taps][j], &along_y[z * Y::taps * X::taps + x][j],
                          X::taps * columns);
            }
        }
    }
    constexpr int plane = Y::taps * X::taps;
    for (int i = 0; i < plane; ++i) {
        for (std::size_t j = 0; j < columns; ++j) {
            Z::filter(along_y[i][j], along_y[plane + i][j], along_y[2 * plane + i][j], &u[i][j], plane * columns);
        }
    }
}

template <class Z, class Y, class X>
void Winograd<Z, Y, X>::pack(const float* weight, std::size_t outputs, std::size_t inputs, std::size_t first,
                             std::size_t last, float* packed) {
    const std::size_t columns = padded(outputs);
    PanelWeights w;
    double u[points][panel_columns];
    for (std::size_t panel = first; panel < last; ++panel) {
        const std::size_t width = packed_panel_width(columns, panel);
        for (std::size_t c = 0; c < inputs; ++c) {
            gather_weights(weight, outputs, inputs, panel * panel_columns, c, w);
            transform_weights<Z, Y, X>(w, u);
            float* out = packed + panel * panel_columns * inputs + c * width;
            for (int p = 0; p < points; ++p, out += columns * inputs) {
                const int place = Z::order[p / plane_points] * plane_points + p % plane_points;
                for (std::size_t j = 0; j < width; ++j) out[j] = static_cast<float>(u[place][j]);
            }
        }
    }
}

template <class Z, class Y, class X>
TileKernels winograd_kernels() {
    using W = Winograd<Z, Y, X>;
    return {{Z::taps, Y::taps, X::taps},
            {Z::step, Y::step, X::step},
            {Z::outputs, Y::outputs, X::outputs},
            static_cast<std::size_t>(W::points),
            Z::groups,
            1,
            lanes,
            lanes,
            W::pack,
            W::load_tile,
            W::store_tile,
            true};
}

// Each of the tile's voxels, along x, stands at a point of its own.
template <int VOXELS>
void store_voxels(const TileOutput& tile) {
    for (std::size_t c = 0; c < tile.channels; c += lanes) {
        const std::size_t count = HWY_MIN(lanes, tile.channels - c);
        Vector y[VOXELS];
        for (int i = 0; i < VOXELS; ++i) y[i] = load(tile.points + i * tile.point_stride + c);
        Sums sums;
        store_plane<VOXELS, true, true>(tile, 0, c, count, y, sums);
        if (tile.sums != nullptr) sums.store_at(tile.sums + 3 * c);
    }
}

template <bool PADDED>  // channels beyond the inputs have zeros
void pack_taps(const float* weight, std::size_t outputs, std::size_t inputs, std::size_t first, std::size_t last,
               float* packed) {
    const std::size_t columns = padded(outputs);
    const std::size_t channels = PADDED ? padded(inputs) : inputs;
    PanelWeights w;
    for (std::size_t panel = first; panel < last; ++panel) {
        const std::size_t width = packed_panel_width(columns, panel);
        for (std::size_t c = 0; c < channels; ++c) {
            if (c < inputs) gather_weights(weight, outputs, inputs, panel * panel_columns, c, w);
            for (std::size_t tap = 0; tap < 27; ++tap) {
                float* out = packed + panel * panel_columns * 27 * channels + (tap * channels + c) * width;
                for (std::size_t j = 0; j < width; ++j) out[j] = c < inputs ? static_cast<float>(w[tap][j]) : 0;
            }
        }
    }
}

// The plain sum: a tile is one voxel.
TileKernels direct_kernels() {
    return {{3, 3, 3}, {1, 1, 1}, {1, 1, 1}, 1, 1, 27, lanes, lanes, pack_taps<true>, nullptr, store_voxels<1>, true};
}

TileKernels narrow_kernels() {
    constexpr int n = line_voxels;
    return {{3, 3, n + 2}, {1, 1, n}, {1, 1, n}, n, 1, 1, lanes, lanes, pack_narrow, load_line, store_voxels<n>, false};
}

TileKernels shallow_kernels() {
    constexpr int n = shallow_voxels;
    return {{3, 3, n + 2},    {1, 1, n},         {1, 1, n},       n,    1, 1, lanes, 1,
            pack_taps<false>, load_shallow_line, store_voxels<n>, false};
}

const TileKernels* all_kernels() {
    // In the order of ConvVariant.
    static const TileKernels kernels[conv_variants] = {
        direct_kernels(),
        winograd_kernels<One, Two, Two>(),
        winograd_kernels<Two, Two, Two>(),
        winograd_kernels<Two, Two, Four>(),
        winograd_kernels<Two, Four, Four>(),
        winograd_kernels<Four, Four, Four>(),
        winograd_kernels<Doubled, Doubled, Doubled>(),
        winograd_kernels<Stuffed, Stuffed, Stuffed>(),
        narrow_kernels(),
        shallow_kernels(),
    };
    return kernels;
}

void multiply_one_panel(const PanelProduct& p) {
    const std::size_t first = p.panel * panel_columns;
    multiply_panel(p.rows, p.depth, packed_panel_width(p.columns, p.panel) / lanes, p.a, p.lda,
                   p.packed + first * p.depth, p.c + first, p.ldc, p.add);
}

std::size_t count_panels(std::size_t columns) { return panel_count(columns); }
std::size_t width_of_panel(std::size_t columns, std::size_t panel) { return packed_panel_width(columns, panel); }

}  // namespace
}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace voldiff::ops {

HWY_EXPORT(all_kernels);
HWY_EXPORT(multiply_one_panel);
HWY_EXPORT(count_panels);
HWY_EXPORT(width_of_panel);

const TileKernels& tile_kernels(ConvVariant variant) {
    return HWY_DYNAMIC_DISPATCH(all_kernels)()[static_cast<std::size_t>(variant)];
}

void multiply(const PanelProduct& product) { HWY_DYNAMIC_DISPATCH(multiply_one_panel)(product); }

std::size_t panels_of(std::size_t columns) { return HWY_DYNAMIC_DISPATCH(count_panels)(columns); }

std::size_t panel_width(std::size_t columns, std::size_t panel) {
    return HWY_DYNAMIC_DISPATCH(width_of_panel)(columns, panel);
}

}  // namespace voldiff::ops
#endif

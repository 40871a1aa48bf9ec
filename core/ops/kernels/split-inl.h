// Parts of float32 numbers in bfloat16, in the order in which a matrix unit takes them; AVX-512 alone.
// Included once for each instruction set: see "foreach_target" in Highway's documentation.

#if defined(VOLDIFF_SPLIT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VOLDIFF_SPLIT_INL_H
#undef VOLDIFF_SPLIT_INL_H
#else
#define VOLDIFF_SPLIT_INL_H
#endif

#include "core/ops/kernels/matrix_unit.h"
#include "core/ops/kernels/vector-inl.h"

#include <hwy/cache_control.h>

#include <cstdint>

#if HWY_TARGET == HWY_AVX3
HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {

// A tile: 16 rows of 32 bfloat16. Of a: 16 rows, 32 terms. Of b: 16 pairs of terms, of each 16 columns with the two
// beside one another. Terms i and i + 16 of a block of 32 are such a pair, on both sides.
constexpr std::size_t tile_values = 512, bytes_of_row = 64;
constexpr std::size_t parts = 3;
constexpr std::size_t block_terms = MatrixUnit::depth_step, columns = MatrixUnit::panel_columns;
constexpr std::size_t rows_of_tile = MatrixUnit::tile_rows;
// Parts of this many blocks of terms are held at a time, those of a panel in the first cache; then sums go to memory.
constexpr std::size_t most_blocks = 2;
constexpr std::size_t most_rows = 64;
constexpr std::size_t a_values = most_rows / rows_of_tile * most_blocks * parts * tile_values;
constexpr std::size_t b_values = 2 * most_blocks * parts * tile_values;

using Words = hn::Repartition<std::uint16_t, Floats>;
using Bits = hn::RebindToUnsigned<Floats>;

HWY_INLINE void store_part(hn::Vec<Bits> first, hn::Vec<Bits> second, std::uint16_t* out) {
    const auto low = hn::BitCast(Words(), hn::ShiftRight<16>(first));
    hn::Store(hn::OddEven(hn::BitCast(Words(), second), low), Words(), out);
}

HWY_INLINE Vector without(Vector x, hn::Vec<Bits> part) {
    return hn::Sub(x, hn::BitCast(Floats(), hn::And(part, hn::Set(Bits(), 0xFFFF0000U))));
}

// The parts of two vectors, interleaved, each part in a tile of its own. The first is rounded to nearest, so that the
// rest has no preferred sign and what is left out of the products does not add up.
HWY_INLINE void split(Vector first, Vector second, std::uint16_t* out) {
    const auto half = hn::Set(Bits(), 0x8000U);
    auto x = hn::Add(hn::BitCast(Bits(), first), half), y = hn::Add(hn::BitCast(Bits(), second), half);
#pragma GCC unroll 3
    for (std::size_t part = 0; part < parts; ++part) {
        store_part(x, y, out + part * tile_values);
        first = without(first, x);
        second = without(second, y);
        x = hn::BitCast(Bits(), first);
        y = hn::BitCast(Bits(), second);
    }
}

// a[rows, blocks * 32] -> [tiles of rows][blocks][parts][16][32], with zeros below the last row.
HWY_INLINE void split_rows(const float* const* rows, std::size_t count, std::size_t first_term, std::size_t blocks,
                           std::uint16_t* out) {
    const std::size_t tiles = (count + rows_of_tile - 1) / rows_of_tile;
    for (std::size_t row = 0; row < tiles * rows_of_tile; ++row) {
        std::uint16_t* to = out + row / rows_of_tile * blocks * parts * tile_values + row % rows_of_tile * block_terms;
        for (std::size_t block = 0; block < blocks; ++block, to += parts * tile_values) {
            const float* from = row < count ? rows[row] + first_term + block * block_terms : nullptr;
            const Vector zero = hn::Zero(Floats());
            split(from != nullptr ? load(from) : zero, from != nullptr ? load(from + lanes) : zero, to);
        }
    }
}

// Block after block, a panel [blocks * 32, 32] becomes [blocks][2 tiles of columns][parts][16][32]. It is done in small
// portions, so that it can go on beside the products of the panel before; meanwhile the one after it is fetched.
struct PanelSplitter {
    const float* panel = nullptr;
    std::size_t blocks = 0;
    const float* following = nullptr;
    std::uint16_t* out = nullptr;

    static constexpr std::size_t portions = block_terms;
    HWY_INLINE void split_portion(std::size_t block, std::size_t portion) const {
        const std::size_t pair = portion / 2, column = portion % 2 * lanes;
        const float* from = panel + (block * block_terms + pair) * columns + column;
        split(load(from), load(from + rows_of_tile * columns),
              out + (2 * block + portion % 2) * parts * tile_values + pair * block_terms);
        const float* fetched = following + block * block_terms * columns + portion * columns;
        __builtin_prefetch(fetched, 0, 2);
        __builtin_prefetch(fetched + lanes, 0, 2);
    }
    HWY_INLINE void split_block(std::size_t block) const {
        for (std::size_t portion = 0; portion < portions; ++portion) split_portion(block, portion);
    }
};

}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#endif

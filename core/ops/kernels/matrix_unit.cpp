#include "core/ops/kernels/matrix_unit.h"

#include "core/ops/kernels/buffer.h"
#include "core/ops/kernels/simd_targets.h"

#include <algorithm>
#include <atomic>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>  // Highway has no operations on tiles
#include <sys/syscall.h>
#include <unistd.h>
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/ops/kernels/matrix_unit.cpp"  // NOLINT: Highway includes this file once a target
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/ops/kernels/split-inl.h"

#if HWY_TARGET == HWY_AVX3 && defined(__x86_64__) && defined(__linux__)
HWY_PUSH_ATTRIBUTES(HWY_TARGET_STR ",amx-tile,amx-bf16")
namespace voldiff::ops::HWY_NAMESPACE {
namespace {

// The compiler takes tile instructions for something that reads no memory.
HWY_INLINE void finish_stores() { std::atomic_signal_fence(std::memory_order_seq_cst); }

// What is done while the unit works, in portions.
struct Nothing {
    HWY_INLINE void operator()(std::size_t) const {}
};
struct Splitting {
    PanelSplitter splitter;
    std::size_t block;
    HWY_INLINE void operator()(std::size_t portion) const { splitter.split_portion(block, portion); }
};

// Tiles 0 to 3 hold the sums of 2 tiles of rows times 2 of columns (0 and 1 where ROWS is 1), 4 and 5 a, 6 and 7 b.
template <int ROWS>
struct TileProduct {
    const std::uint16_t* a;
    std::size_t a_stride;  // from a tile of rows to the next
    const std::uint16_t* b;

    HWY_INLINE void load_a(std::size_t block, std::size_t part) const {
        const std::uint16_t* from = a + (block * parts + part) * tile_values;
        _tile_loadd(4, from, bytes_of_row);
        if constexpr (ROWS == 2) _tile_loadd(5, from + a_stride, bytes_of_row);
    }
    HWY_INLINE void load_b(std::size_t block, std::size_t part) const {
        const std::uint16_t* from = b + (2 * block * parts + part) * tile_values;
        _tile_loadd(6, from, bytes_of_row);
        _tile_loadd(7, from + parts * tile_values, bytes_of_row);
    }
    template <class Work>
    static HWY_INLINE void multiply(const Work& beside, std::size_t portion) {
        _tile_dpbf16ps(0, 4, 6);
        beside(portion);
        _tile_dpbf16ps(1, 4, 7);
        beside(portion + 1);
        if constexpr (ROWS == 2) _tile_dpbf16ps(2, 5, 6);
        beside(portion + 2);
        if constexpr (ROWS == 2) _tile_dpbf16ps(3, 5, 7);
        beside(portion + 3);
    }
    // The products of parts from the smallest on, but for the largest; each load serves two of them.
    template <class Work>
    HWY_INLINE void add_small_products(std::size_t block, const Work& beside) const {
        load_a(block, 0);
        load_b(block, 2);
        multiply(beside, 0);
        load_b(block, 1);
        multiply(beside, 4);
        load_a(block, 1);
        multiply(beside, 8);
        load_b(block, 0);
        multiply(beside, 12);
        load_a(block, 2);
        multiply(beside, 16);
        for (std::size_t portion = 20; portion < PanelSplitter::portions; ++portion) beside(portion);
    }
    HWY_INLINE void add_large_product(std::size_t block) const {
        load_a(block, 0);
        load_b(block, 0);
        multiply(Nothing(), 0);
    }
    static HWY_INLINE void clear() {
        _tile_zero(0);
        _tile_zero(1);
        if constexpr (ROWS == 2) _tile_zero(2);
        if constexpr (ROWS == 2) _tile_zero(3);
    }
    static HWY_INLINE void store(float* c, std::size_t ldc) {
        const std::size_t stride = ldc * sizeof(float);
        _tile_stored(0, c, stride);
        _tile_stored(1, c + lanes, stride);
        if constexpr (ROWS == 2) _tile_stored(2, c + rows_of_tile * ldc, stride);
        if constexpr (ROWS == 2) _tile_stored(3, c + rows_of_tile * ldc + lanes, stride);
    }
};

// The sums of ROWS tiles of rows and one panel, to c; the next panel is split beside it.
template <int ROWS>
HWY_NOINLINE void multiply_tiles(const TileProduct<ROWS>& product, std::size_t blocks, const PanelSplitter beside,
                                 float* c, std::size_t ldc) {
    product.clear();
    for (std::size_t block = 0; block < blocks; ++block) {
        if (block < beside.blocks) {
            product.add_small_products(block, Splitting{beside, block});
        } else {
            product.add_small_products(block, Nothing());
        }
    }
    for (std::size_t block = 0; block < blocks; ++block) product.add_large_product(block);
    product.store(c, ldc);
    for (std::size_t block = blocks; block < beside.blocks; ++block) beside.split_block(block);
}

// Some rows, at most those of two tiles; only whole tiles that nothing is added to can be stored where they belong.
HWY_INLINE void multiply_rows(const TileProduct<2>& product, std::size_t rows, std::size_t blocks,
                              const PanelSplitter& beside, bool add, float* c, std::size_t ldc) {
    HWY_ALIGN float sums[2 * rows_of_tile * columns];
    const bool whole = !add && rows % rows_of_tile == 0;
    float* to = whole ? c : sums;
    const std::size_t stride = whole ? ldc : columns;
    if (rows > rows_of_tile) {
        multiply_tiles(product, blocks, beside, to, stride);
    } else {
        multiply_tiles(TileProduct<1>{product.a, product.a_stride, product.b}, blocks, beside, to, stride);
    }
    if (whole) return;
    finish_stores();
    for (std::size_t row = 0; row < rows; ++row, c += ldc) {
        for (std::size_t j = 0; j < columns; j += lanes) {
            const Vector sum = load(sums + row * columns + j);
            store(add ? hn::Add(load(c + j), sum) : sum, c + j);
        }
    }
}

// What is multiplied after what: for some rows at a time, and some terms at a time, all panels.
struct Order {
    const UnitProduct& product;
    std::size_t row_groups, term_groups;
    std::size_t blocks;  // of terms in a group; the last may have fewer

    explicit Order(const UnitProduct& p) : product(p) {
        const std::size_t all_blocks = p.depth / block_terms;
        row_groups = (p.rows.size() + most_rows - 1) / most_rows;
        term_groups = (all_blocks + most_blocks - 1) / most_blocks;
        blocks = (all_blocks + term_groups - 1) / term_groups;
        term_groups = (all_blocks + blocks - 1) / blocks;
    }
    std::size_t count() const { return row_groups * term_groups * product.panels; }
    std::size_t panel(std::size_t i) const { return i % product.panels; }
    std::size_t term_group(std::size_t i) const { return i / product.panels % term_groups; }
    std::size_t first_term(std::size_t i) const { return term_group(i) * blocks * block_terms; }
    std::size_t blocks_of(std::size_t i) const {
        return HWY_MIN(blocks, product.depth / block_terms - term_group(i) * blocks);
    }
    std::size_t first_row(std::size_t i) const { return i / (product.panels * term_groups) * most_rows; }
    std::size_t rows_of(std::size_t i) const { return HWY_MIN(most_rows, product.rows.size() - first_row(i)); }
    const float* packed(std::size_t i) const {
        if (i >= count()) return product.next;
        return product.packed + panel(i) * product.panel_stride + first_term(i) * columns;
    }
};

// What a thread splits into: rows, and two panels.
struct PartsMemory {
    std::uint16_t* a;
    std::uint16_t* b[2];

    PartsMemory() {
        thread_local Buffer buffer;
        a = reinterpret_cast<std::uint16_t*>(buffer.at_least((a_values + 2 * b_values) / 2));  // NOLINT: plain memory
        b[0] = a + a_values;
        b[1] = b[0] + b_values;
    }
};

// Rows of one group, terms of one group, one panel.
void multiply_step(const Order& order, std::size_t i, const PartsMemory& memory, const std::uint16_t* b,
                   PanelSplitter beside) {
    const UnitProduct& product = order.product;
    const std::size_t blocks = order.blocks_of(i);
    const std::size_t tile = blocks * parts * tile_values;
    const std::size_t first = order.first_row(i);
    const std::size_t end = first + order.rows_of(i);
    for (std::size_t row = first; row < end; row += 2 * rows_of_tile) {
        const TileProduct<2> tiles{memory.a + (row - first) / rows_of_tile * tile, tile, b};
        float* c = product.c + row * product.ldc + order.panel(i) * columns;
        multiply_rows(tiles, HWY_MIN(2 * rows_of_tile, end - row), blocks, beside,
                      product.add || order.term_group(i) > 0, c, product.ldc);
        beside.blocks = 0;
    }
}

void multiply_on_unit(const UnitProduct& product, PanelAtHand& at_hand) {
    const Order order(product);
    const PartsMemory memory;
    for (std::size_t i = 0; i < order.count(); ++i) {
        if (order.panel(i) == 0) {
            split_rows(product.rows.data() + order.first_row(i), order.rows_of(i), order.first_term(i),
                       order.blocks_of(i), memory.a);
        }
        const float* next = order.packed(i + 1);
        const float* following = order.packed(i + 2) != nullptr ? order.packed(i + 2) : order.packed(i);
        if (at_hand.panel != order.packed(i)) {
            const PanelSplitter now{order.packed(i), order.blocks_of(i), following, memory.b[at_hand.place]};
            for (std::size_t block = 0; block < now.blocks; ++block) now.split_block(block);
        }
        const std::size_t next_blocks = next != nullptr ? order.blocks_of((i + 1) % order.count()) : 0;
        finish_stores();
        multiply_step(order, i, memory, memory.b[at_hand.place],
                      {next, next_blocks, following, memory.b[1 - at_hand.place]});
        at_hand = {next, 1 - at_hand.place};
    }
}

// All eight tiles have 16 rows of 64 bytes.
void take_unit() {
    static const struct alignas(64) {
        std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
        std::uint16_t bytes_of_rows[16] = {64, 64, 64, 64, 64, 64, 64, 64};
        std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } tiles;
    _tile_loadconfig(&tiles);
}

void release_unit() { _tile_release(); }

bool has_unit() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    constexpr unsigned bfloat16_and_tiles = 1U << 22 | 1U << 24;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
    if ((d & bfloat16_and_tiles) != bfloat16_and_tiles) return false;
    // Linux saves the tiles only of those who ask: ARCH_REQ_XCOMP_PERM for XFEATURE_XTILEDATA.
    return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}

}  // namespace
}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_POP_ATTRIBUTES
#else
namespace voldiff::ops::HWY_NAMESPACE {
namespace {

bool has_unit() { return false; }
void take_unit() {}
void release_unit() {}
void multiply_on_unit(const UnitProduct&, PanelAtHand&) {}

}  // namespace
}  // namespace voldiff::ops::HWY_NAMESPACE
#endif

#if HWY_ONCE
namespace voldiff::ops {

HWY_EXPORT(has_unit);
HWY_EXPORT(take_unit);
HWY_EXPORT(release_unit);
HWY_EXPORT(multiply_on_unit);

bool MatrixUnit::available() {
    static const bool available = HWY_DYNAMIC_DISPATCH(has_unit)();
    return available;
}

MatrixUnit::MatrixUnit() { HWY_DYNAMIC_DISPATCH(take_unit)(); }
MatrixUnit::~MatrixUnit() { HWY_DYNAMIC_DISPATCH(release_unit)(); }
void MatrixUnit::multiply(const UnitProduct& product) { HWY_DYNAMIC_DISPATCH(multiply_on_unit)(product, at_hand_); }

}  // namespace voldiff::ops
#endif

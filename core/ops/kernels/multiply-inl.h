// The matrix product that all kernels are made of, for the instruction set that is being compiled.
// Included once for each of them: see "foreach_target" in Highway's documentation.

#if defined(VOLDIFF_MULTIPLY_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VOLDIFF_MULTIPLY_INL_H
#undef VOLDIFF_MULTIPLY_INL_H
#else
#define VOLDIFF_MULTIPLY_INL_H
#endif

#include "core/ops/kernels/vector-inl.h"

#include <hwy/cache_control.h>

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {

constexpr std::size_t panel_vectors = HWY_ARCH_ARM_A64 ? 4 : 2;
constexpr std::size_t panel_columns = panel_vectors * lanes;
constexpr std::size_t block_rows = 12 / panel_vectors;  // 12 vectors of sums: the latency of a product is hidden

// A rounding error grows with the terms that are summed in a row, and it is what limits Winograd's method: so sums are
// made of sums. Where 32 registers are at hand 8 terms at a time are added to 12 more of them; every so many terms go
// to memory. With 16 registers memory is the only other place, and 32 terms at a time would cost a tenth of the speed.
constexpr bool many_registers = HWY_TARGET == HWY_AVX3 || HWY_ARCH_ARM_A64;
constexpr std::size_t terms_in_a_row = 8;  // with many registers; with few the steps in which weights are fetched
constexpr std::size_t terms_in_registers = many_registers ? 128 : 64;

// Packed matrices are read once, from the first float to the last, from beyond the second cache: while a panel is used,
// every block of rows fetches as much of what follows it. (Measured on an Intel Xeon with 24 rows: a sixth more
// products a second than if the first block alone fetches.)
class Following {
  public:
    // The panel [depth, columns] ends at `line`.
    HWY_INLINE Following(const float* line, std::size_t columns, std::size_t blocks)
        : line_(line), lines_((terms_in_a_row * columns / floats_of_line + blocks - 1) / blocks) {}
    // The share of `terms_in_a_row` rows of the panel.
    HWY_INLINE void fetch() {
        for (std::size_t i = 0; i < lines_; ++i, line_ += floats_of_line) hwy::Prefetch(line_);
    }

  private:
    static constexpr std::size_t floats_of_line = 16;
    const float* line_;
    std::size_t lines_;
};

template <int ROWS, int VECTORS>
struct Block {
    Vector sum[ROWS][VECTORS];

    HWY_INLINE Block() {
#pragma GCC unroll 12
        for (int i = 0; i < ROWS; ++i) {
#pragma GCC unroll 4
            for (int j = 0; j < VECTORS; ++j) sum[i][j] = hn::Zero(Floats());
        }
    }
    HWY_INLINE void add(const Block& other) {
#pragma GCC unroll 12
        for (int i = 0; i < ROWS; ++i) {
#pragma GCC unroll 4
            for (int j = 0; j < VECTORS; ++j) sum[i][j] = hn::Add(sum[i][j], other.sum[i][j]);
        }
    }
    // sum += a[ROWS, 1] b[1, VECTORS * lanes]; one pointer for three rows, as more would not stay in registers.
    HWY_INLINE void add_product(const float* const* rows, std::size_t lda, std::size_t k, const float* b) {
        Vector right[VECTORS];
#pragma GCC unroll 4
        for (int j = 0; j < VECTORS; ++j) right[j] = load(b + j * lanes);
#pragma GCC unroll 12
        for (int i = 0; i < ROWS; ++i) {
            const Vector left = broadcast(rows[i / 3][(i % 3) * lda + k]);
#pragma GCC unroll 4
            for (int j = 0; j < VECTORS; ++j) sum[i][j] = hn::MulAdd(left, right[j], sum[i][j]);
        }
    }
};

// Fetches the rows of the block that comes next.
template <int ROWS>
HWY_INLINE void prefetch_rows(const float* a, std::size_t lda) {
#pragma GCC unroll 12
    for (int i = 0; i < ROWS; ++i) hwy::Prefetch(a + i * lda);
}

// c[ROWS, VECTORS * lanes] (+)= a[ROWS, depth] b[depth, VECTORS * lanes]; b is contiguous.
template <int ROWS, int VECTORS, bool ADD>
HWY_INLINE void multiply_block(std::size_t depth, const float* HWY_RESTRICT a, std::size_t lda,
                               const float* HWY_RESTRICT b, float* HWY_RESTRICT c, std::size_t ldc,
                               Following& following) {
    constexpr int groups = (ROWS + 2) / 3;
    const float* rows[groups];
#pragma GCC unroll 4
    for (int g = 0; g < groups; ++g) rows[g] = a + 3 * g * lda;
    Block<ROWS, VECTORS> total;
    std::size_t k = 0;
    if (!many_registers) prefetch_rows<ROWS>(a + ROWS * lda, lda);
    for (; k + terms_in_a_row <= depth; k += terms_in_a_row, b += terms_in_a_row * VECTORS * lanes) {
        following.fetch();
        if constexpr (many_registers) {
            prefetch_rows<ROWS>(a + ROWS * lda + k, lda);
            Block<ROWS, VECTORS> part;
#pragma GCC unroll 8
            for (std::size_t i = 0; i < terms_in_a_row; ++i)
                part.add_product(rows, lda, k + i, b + i * VECTORS * lanes);
            total.add(part);
        } else {
#pragma GCC unroll 8
            for (std::size_t i = 0; i < terms_in_a_row; ++i)
                total.add_product(rows, lda, k + i, b + i * VECTORS * lanes);
        }
    }
    for (; k < depth; ++k, b += VECTORS * lanes) total.add_product(rows, lda, k, b);
#pragma GCC unroll 12
    for (int i = 0; i < ROWS; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < VECTORS; ++j) {
            float* p = c + i * ldc + j * lanes;
            store(ADD ? hn::Add(load(p), total.sum[i][j]) : total.sum[i][j], p);
        }
    }
}

// The same for a number of rows that is known at run time, at most ROWS.
template <int ROWS, int VECTORS, bool ADD>
HWY_INLINE void multiply_few(std::size_t rows, std::size_t depth, const float* a, std::size_t lda, const float* b,
                             float* c, std::size_t ldc, Following& following) {
    if constexpr (ROWS > 0) {
        if (rows < ROWS) return multiply_few<ROWS - 1, VECTORS, ADD>(rows, depth, a, lda, b, c, ldc, following);
        multiply_block<ROWS, VECTORS, ADD>(depth, a, lda, b, c, ldc, following);
    }
}

// Blocks of ROWS; what would be less than one at the end is shared by the last two, as few rows leave the sums too
// little to do at a time.
template <int ROWS, int VECTORS, bool ADD>
HWY_NOINLINE void multiply_rows(std::size_t rows, std::size_t depth, const float* a, std::size_t lda, const float* b,
                                float* c, std::size_t ldc) {
    Following following(b + depth * VECTORS * lanes, VECTORS * lanes, (rows + ROWS - 1) / ROWS);
    std::size_t row = 0;
    for (; rows - row >= 2 * ROWS || rows - row == ROWS; row += ROWS) {
        multiply_block<ROWS, VECTORS, ADD>(depth, a + row * lda, lda, b, c + row * ldc, ldc, following);
    }
    const std::size_t rest = rows - row;
    const std::size_t first = rest > ROWS ? rest - rest / 2 : rest;
    multiply_few<ROWS, VECTORS, ADD>(first, depth, a + row * lda, lda, b, c + row * ldc, ldc, following);
    row += first;
    multiply_few<ROWS, VECTORS, ADD>(rows - row, depth, a + row * lda, lda, b, c + row * ldc, ldc, following);
}

template <int VECTORS, bool ADD>
void multiply_some(std::size_t rows, std::size_t depth, const float* a, std::size_t lda, const float* b, float* c,
                   std::size_t ldc) {
    multiply_rows<static_cast<int>(block_rows), VECTORS, ADD>(rows, depth, a, lda, b, c, ldc);
}

template <int VECTORS>
void multiply_vectors(std::size_t rows, std::size_t depth, const float* a, std::size_t lda, const float* b, float* c,
                      std::size_t ldc, bool add) {
    for (std::size_t k = 0; k < depth; k += terms_in_registers, add = true) {
        const std::size_t terms = HWY_MIN(terms_in_registers, depth - k);
        const float* right = b + k * VECTORS * lanes;
        if (add) {
            multiply_some<VECTORS, true>(rows, terms, a + k, lda, right, c, ldc);
        } else {
            multiply_some<VECTORS, false>(rows, terms, a + k, lda, right, c, ldc);
        }
    }
}

// c[rows, vectors * lanes] (+)= a[rows, depth] b, where b is one panel of at most panel_vectors vectors, contiguous.
HWY_INLINE void multiply_panel(std::size_t rows, std::size_t depth, std::size_t vectors, const float* a,
                               std::size_t lda, const float* b, float* c, std::size_t ldc, bool add) {
    if (vectors == panel_vectors) return multiply_vectors<panel_vectors>(rows, depth, a, lda, b, c, ldc, add);
    if (vectors == 1) return multiply_vectors<1>(rows, depth, a, lda, b, c, ldc, add);
    if constexpr (panel_vectors > 2) {
        if (vectors == 2) return multiply_vectors<2>(rows, depth, a, lda, b, c, ldc, add);
        multiply_vectors<3>(rows, depth, a, lda, b, c, ldc, add);
    }
}

// Where element (k, column) of a packed matrix of `columns` (a multiple of lanes) and `depth` rows stands.
HWY_INLINE std::size_t packed_panel_width(std::size_t columns, std::size_t panel) {
    return HWY_MIN(panel_columns, columns - panel * panel_columns);
}
HWY_INLINE std::size_t panel_count(std::size_t columns) { return (columns + panel_columns - 1) / panel_columns; }

}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#include "core/ops/kernels/attention_kernel.h"

#include "core/ops/kernels/attention_block.h"
#include "core/ops/kernels/buffer.h"
#include "core/ops/kernels/parallel.h"
#include "core/ops/kernels/simd_targets.h"
#include "core/ops/kernels/tile_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/ops/kernels/attention_kernel.cpp"  // NOLINT: Highway includes this file once a target
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/ops/kernels/exp-inl.h"
#include "core/ops/kernels/multiply-inl.h"

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {
namespace {

HWY_INLINE std::size_t key_blocks(std::size_t keys) { return (keys + keys_of_block - 1) / keys_of_block; }

// Keys as columns: [blocks, panels, width, panel_columns]. Tokens beyond the last are zero.
void pack_keys(const AttentionShape& shape, const float* k, std::int64_t stride, float* packed) {
    const auto keys = static_cast<std::size_t>(shape.keys);
    const auto width = static_cast<std::size_t>(shape.width);
    const std::size_t panels = key_blocks(keys) * keys_of_block / panel_columns;
    for (std::size_t panel = 0; panel < panels; ++panel) {
        for (std::size_t j = 0; j < panel_columns; ++j) {
            const std::size_t token = panel * panel_columns + j;
            const float* row = k + static_cast<std::int64_t>(token) * stride;
            float* out = packed + panel * panel_columns * width + j;
            for (std::size_t c = 0; c < width; ++c) out[c * panel_columns] = token < keys ? row[c] : 0;
        }
    }
}

// Values as rows: [blocks, panels, keys_of_block, columns of the panel].
void pack_values(const AttentionShape& shape, const float* v, std::int64_t stride, float* packed) {
    const auto keys = static_cast<std::size_t>(shape.keys);
    const auto width = static_cast<std::size_t>(shape.value_width);
    const std::size_t columns = padded(width);
    for (std::size_t token = 0; token < key_blocks(keys) * keys_of_block; ++token) {
        const float* row = v + static_cast<std::int64_t>(token) * stride;
        float* block = packed + token / keys_of_block * keys_of_block * columns;
        for (std::size_t c = 0; c < columns; ++c) {
            const std::size_t panel = c / panel_columns;
            float* out = block + panel * panel_columns * keys_of_block +
                         token % keys_of_block * packed_panel_width(columns, panel) + c % panel_columns;
            *out = token < keys && c < width ? row[c] : 0;
        }
    }
}

// c [rows, columns] = a b for all panels of b.
HWY_INLINE void multiply_all(std::size_t rows, std::size_t depth, std::size_t columns, const float* a, std::size_t lda,
                             const float* b, float* c, std::size_t ldc) {
    for (std::size_t panel = 0; panel < panel_count(columns); ++panel) {
        const std::size_t first = panel * panel_columns;
        multiply_panel(rows, depth, packed_panel_width(columns, panel) / lanes, a, lda, b + first * depth, c + first,
                       ldc, false);
    }
}

// Scores of `keys` keys to exp(scale (score - maximum)), those beyond to 10^-38. What was summed before follows the
// maximum.
HWY_INLINE void exponentials(const QueryBlock& block, std::size_t row, std::size_t keys, float scale,
                             std::size_t columns) {
    float* s = block.scores + row * keys_of_block;
    for (std::size_t j = keys; j < keys_of_block; ++j) s[j] = -std::numeric_limits<float>::infinity();
    Vector most = load(s);
    for (std::size_t j = lanes; j < keys_of_block; j += lanes) most = hn::Max(most, load(s + j));
    const float maximum = hn::GetLane(hn::MaxOfLanes(Floats(), most));
    if (maximum > block.maximum[row]) {
        const float factor = std::exp(scale * (block.maximum[row] - maximum));
        block.maximum[row] = maximum;
        block.weight[row] *= factor;
        float* sums = block.sums + row * columns;
        for (std::size_t c = 0; c < columns; c += lanes) store(hn::Mul(load(sums + c), broadcast(factor)), sums + c);
    }
    const Vector top = broadcast(block.maximum[row]);
    Vector total = hn::Zero(Floats());
    for (std::size_t j = 0; j < keys_of_block; j += lanes) {
        const Vector e = exp_up_to_88(hn::Mul(hn::Sub(load(s + j), top), broadcast(scale)));
        store(e, s + j);
        total = hn::Add(total, e);
    }
    block.weight[row] += static_cast<double>(hn::GetLane(hn::SumOfLanes(Floats(), total)));
}

void attend_block(const AttentionShape& shape, float scale, const QueryBlock& block) {
    const auto width = static_cast<std::size_t>(shape.width);
    const auto keys = static_cast<std::size_t>(shape.keys);
    const std::size_t columns = padded(static_cast<std::size_t>(shape.value_width));
    std::fill_n(block.sums, block.rows * columns, 0.0F);
    std::fill_n(block.maximum, block.rows, -std::numeric_limits<float>::infinity());
    std::fill_n(block.weight, block.rows, 0.0);
    for (std::size_t first = 0; first < keys; first += keys_of_block) {
        multiply_all(block.rows, width, keys_of_block, block.queries, static_cast<std::size_t>(block.query_stride),
                     block.keys + first * width, block.scores, keys_of_block);
        const std::size_t count = HWY_MIN(keys_of_block, keys - first);
        for (std::size_t row = 0; row < block.rows; ++row) exponentials(block, row, count, scale, columns);
        multiply_all(block.rows, keys_of_block, columns, block.scores, keys_of_block, block.values + first * columns,
                     block.products, columns);
        for (std::size_t i = 0; i < block.rows * columns; i += lanes) {
            store(hn::Add(load(block.sums + i), load(block.products + i)), block.sums + i);
        }
    }
}

}  // namespace
}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace voldiff::ops {

namespace {

HWY_EXPORT(pack_keys);
HWY_EXPORT(pack_values);
HWY_EXPORT(attend_block);

constexpr auto queries_at_once = static_cast<std::int64_t>(queries_of_block);

std::int64_t offset_of(const HeadRows& rows, const AttentionShape& shape, std::int64_t i) {
    return i / shape.heads * rows.sample_stride + i % shape.heads * rows.head_stride;
}

// Memory of one thread.
struct Workspace {
    Buffer scores, products, sums;
    float maximum[queries_of_block];
    double weight[queries_of_block];
};

// Keys and values of all heads.
struct PackedHeads {
    std::size_t columns;  // of the values, padded
    std::size_t keys_of_head, values_of_head;
    Buffer keys, values;

    explicit PackedHeads(const AttentionShape& shape) {
        const std::size_t lanes = tile_kernels(ConvVariant::direct).lanes;
        const std::size_t tokens =
            (static_cast<std::size_t>(shape.keys) + keys_of_block - 1) / keys_of_block * keys_of_block;
        columns = (static_cast<std::size_t>(shape.value_width) + lanes - 1) / lanes * lanes;
        keys_of_head = tokens * static_cast<std::size_t>(shape.width);
        values_of_head = tokens * columns;
        const auto heads = static_cast<std::size_t>(shape.samples * shape.heads);
        keys = Buffer(heads * keys_of_head);
        values = Buffer(heads * values_of_head);
    }
};

QueryBlock make_block(Workspace& space, const PackedHeads& packed, std::size_t head) {
    QueryBlock block;
    block.keys = packed.keys.data() + head * packed.keys_of_head;
    block.values = packed.values.data() + head * packed.values_of_head;
    block.scores = space.scores.at_least(queries_of_block * keys_of_block);
    block.products = space.products.at_least(queries_of_block * packed.columns);
    block.sums = space.sums.at_least(queries_of_block * packed.columns);
    block.maximum = space.maximum;
    block.weight = space.weight;
    return block;
}

// Sums to means.
void store_block(const QueryBlock& block, std::size_t columns, std::int64_t width, float* out, std::int64_t stride) {
    for (std::size_t row = 0; row < block.rows; ++row, out += stride) {
        const double inverse = 1 / block.weight[row];
        const float* sum = block.sums + row * columns;
        for (std::int64_t c = 0; c < width; ++c) out[c] = static_cast<float>(sum[c] * inverse);
    }
}

}  // namespace

void attend(const AttentionShape& shape, float scale, const HeadRows& q, const HeadRows& k, const HeadRows& v,
            float* result, const HeadRows& layout) {
    const std::int64_t heads = shape.samples * shape.heads;
    const PackedHeads packed(shape);
    parallel_each(heads, [&](std::int64_t i, std::int64_t) {
        const auto at = static_cast<std::size_t>(i);
        HWY_DYNAMIC_DISPATCH(pack_keys)
        (shape, k.data + offset_of(k, shape, i), k.token_stride, packed.keys.data() + at * packed.keys_of_head);
        HWY_DYNAMIC_DISPATCH(pack_values)
        (shape, v.data + offset_of(v, shape, i), v.token_stride, packed.values.data() + at * packed.values_of_head);
    });
    const std::int64_t blocks = (shape.queries + queries_at_once - 1) / queries_at_once;
    std::vector<Workspace> workspaces(static_cast<std::size_t>(worker_count()));
    parallel_each(heads * blocks, [&](std::int64_t task, std::int64_t worker) {
        const std::int64_t i = task / blocks;
        const std::int64_t first = task % blocks * queries_at_once;
        QueryBlock block =
            make_block(workspaces[static_cast<std::size_t>(worker)], packed, static_cast<std::size_t>(i));
        block.queries = q.data + offset_of(q, shape, i) + first * q.token_stride;
        block.query_stride = q.token_stride;
        block.rows = static_cast<std::size_t>(std::min(queries_at_once, shape.queries - first));
        HWY_DYNAMIC_DISPATCH(attend_block)(shape, scale, block);
        const std::int64_t offset = offset_of(layout, shape, i) + first * layout.token_stride;
        store_block(block, packed.columns, shape.value_width, result + offset, layout.token_stride);
    });
}

}  // namespace voldiff::ops
#endif

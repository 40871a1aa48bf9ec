#include "core/ops/kernels/linear.h"

#include "core/ops/kernels/matrix_unit.h"
#include "core/ops/kernels/parallel.h"
#include "core/ops/kernels/simd_targets.h"
#include "core/ops/kernels/tile_kernels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/ops/kernels/linear.cpp"  // NOLINT: Highway includes this file once a target
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/ops/kernels/multiply-inl.h"

HWY_BEFORE_NAMESPACE();
namespace voldiff::ops::HWY_NAMESPACE {
namespace {

void pack_panel(const float* weight, std::size_t outputs, std::size_t inputs, std::size_t panel, float* packed) {
    const std::size_t first = panel * panel_columns;
    const std::size_t width = packed_panel_width(padded(outputs), panel);
    float* out = packed + first * inputs;
    for (std::size_t c = 0; c < inputs; ++c) {
        for (std::size_t j = 0; j < width; ++j, ++out) {
            *out = first + j < outputs ? weight[(first + j) * inputs + c] : 0;
        }
    }
}

constexpr std::size_t rows_at_once = 48;

// products [rows, stride] + bias + residual -> y, columns [first, first + width).
void finish_rows(const PackedLinear& linear, std::size_t first, std::size_t width, const float* products,
                 std::size_t stride, std::size_t rows, const float* residual, float* y) {
    for (std::size_t j = first; j < first + width && j < linear.outputs; j += lanes) {
        const std::size_t count = HWY_MIN(lanes, linear.outputs - j);
        const Vector bias = load(linear.bias.data() + j);
        for (std::size_t row = 0; row < rows; ++row) {
            const std::size_t at = row * linear.outputs + j;
            Vector v = hn::Add(load(products + row * stride + j - first), bias);
            if (residual != nullptr) v = hn::Add(v, load_some(residual + at, count));
            store_some(v, y + at, count);
        }
    }
}

// Rows of one block, columns of one panel.
void multiply_part(const PackedLinear& linear, std::size_t panel, const float* x, std::size_t rows,
                   const float* residual, float* y) {
    const std::size_t first = panel * panel_columns;
    const std::size_t width = packed_panel_width(padded(linear.outputs), panel);
    HWY_ALIGN float products[rows_at_once * panel_columns];
    multiply_panel(rows, linear.inputs, width / lanes, x, linear.inputs, linear.weight.data() + first * linear.inputs,
                   products, width, false);
    finish_rows(linear, first, width, products, width, rows, residual, y);
}

}  // namespace
}  // namespace voldiff::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace voldiff::ops {

namespace {

HWY_EXPORT(pack_panel);
HWY_EXPORT(multiply_part);
HWY_EXPORT(finish_rows);

std::size_t columns_of(std::size_t outputs) {
    const std::size_t lanes = tile_kernels(ConvVariant::direct).lanes;
    return (outputs + lanes - 1) / lanes * lanes;
}

}  // namespace

PackedLinear pack_linear(std::size_t outputs, std::size_t inputs, const float* weight, const float* bias) {
    const std::size_t columns = columns_of(outputs);
    PackedLinear linear{inputs, outputs, Buffer(columns * inputs), Buffer(columns)};
    parallel_each(static_cast<std::int64_t>(panels_of(columns)), [&](std::int64_t panel, std::int64_t) {
        HWY_DYNAMIC_DISPATCH(pack_panel)
        (weight, outputs, inputs, static_cast<std::size_t>(panel), linear.weight.data());
    });
    std::fill_n(linear.bias.data(), columns, 0.0F);
    if (bias != nullptr) std::copy_n(bias, outputs, linear.bias.data());
    return linear;
}

namespace {

constexpr std::size_t rows_on_unit = 64;

// Rows of one block, all columns.
void multiply_on_unit(const PackedLinear& linear, const float* x, std::size_t rows, const float* residual, float* y) {
    thread_local Buffer products;
    MatrixUnit unit;
    UnitProduct product;
    for (std::size_t row = 0; row < rows; ++row) product.rows.push_back(x + row * linear.inputs);
    product.depth = linear.inputs;
    product.packed = linear.weight.data();
    product.panels = linear.outputs / MatrixUnit::panel_columns;
    product.panel_stride = linear.inputs * MatrixUnit::panel_columns;
    product.c = products.at_least(rows * linear.outputs);
    product.ldc = linear.outputs;
    unit.multiply(product);
    HWY_DYNAMIC_DISPATCH(finish_rows)
    (linear, 0, linear.outputs, product.c, linear.outputs, rows, residual, y);
}

void multiply_all_on_unit(const PackedLinear& linear, const float* x, std::size_t rows, const float* residual,
                          float* y) {
    const std::size_t blocks = (rows + rows_on_unit - 1) / rows_on_unit;
    parallel_each(static_cast<std::int64_t>(blocks), [&](std::int64_t block, std::int64_t) {
        const std::size_t first = static_cast<std::size_t>(block) * rows_on_unit;
        multiply_on_unit(linear, x + first * linear.inputs, std::min(rows_on_unit, rows - first),
                         residual != nullptr ? residual + first * linear.outputs : nullptr, y + first * linear.outputs);
    });
}

// With fewer rows the weights, which are split anew for each block, would be most of the work. Not a matter of threads:
// their number changes no result.
bool suits_unit(const PackedLinear& linear, std::int64_t rows) {
    return rows >= 2 * static_cast<std::int64_t>(rows_on_unit) && MatrixUnit::takes(linear.inputs, linear.outputs);
}

}  // namespace

void multiply_rows(const PackedLinear& linear, const float* x, std::int64_t rows, const float* residual, float* y) {
    if (suits_unit(linear, rows)) return multiply_all_on_unit(linear, x, static_cast<std::size_t>(rows), residual, y);
    constexpr std::int64_t block_of_rows = 48;
    const std::int64_t blocks = (rows + block_of_rows - 1) / block_of_rows;
    const auto panels = static_cast<std::int64_t>(panels_of(columns_of(linear.outputs)));
    // With many rows a thread takes all columns of a block, so that the block stays in its cache.
    const std::int64_t parts = blocks >= 4 * worker_count() ? 1 : panels;
    parallel_each(blocks * parts, [&](std::int64_t task, std::int64_t) {
        const std::int64_t first = task / parts * block_of_rows;
        const auto count = static_cast<std::size_t>(std::min(block_of_rows, rows - first));
        const auto outputs = static_cast<std::int64_t>(linear.outputs);
        const float* added = residual != nullptr ? residual + first * outputs : nullptr;
        const std::int64_t begin = task % parts;
        for (std::int64_t panel = begin; panel < (parts == 1 ? panels : begin + 1); ++panel) {
            HWY_DYNAMIC_DISPATCH(multiply_part)
            (linear, static_cast<std::size_t>(panel), x + first * static_cast<std::int64_t>(linear.inputs), count,
             added, y + first * outputs);
        }
    });
}

}  // namespace voldiff::ops
#endif

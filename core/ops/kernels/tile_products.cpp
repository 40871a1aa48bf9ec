#include "core/ops/kernels/tile_products.h"

#include "core/ops/kernels/matrix_unit.h"

#include <algorithm>

namespace voldiff::ops {

namespace {

class VectorProducts : public TileProducts {
  public:
    VectorProducts(std::size_t depth, std::size_t columns, const float* packed)
        : depth_(depth), columns_(columns), packed_(packed) {}

    std::int64_t tiles_of_block() const override { return 24; }
    std::int64_t even_rows() const override { return 1; }
    std::int64_t shares(std::int64_t products, std::int64_t) const override { return products; }

    void multiply_points(const PointRows& rows, Range range) const override {
        const std::size_t panels = panels_of(columns_);
        PanelProduct product;
        product.rows = rows.rows;
        product.depth = depth_;
        product.columns = columns_;
        product.lda = rows.lda;
        product.ldc = rows.ldc;
        for (std::size_t index = range.begin; index < range.end; ++index) {
            const std::size_t point = index / panels;
            product.panel = index % panels;
            product.a = rows.a + (point - rows.first_point) * rows.a_point;
            product.packed = packed_ + point * depth_ * columns_;
            product.c = rows.c + (point - rows.first_point) * rows.c_point;
            multiply(product);
        }
    }

    void multiply_neighbours(const NeighbourRows& rows, Range panels) const override {
        for (std::size_t panel = panels.begin; panel < panels.end; ++panel) {
            const std::size_t first = panel * panel_width(columns_, 0);
            PanelProduct product;
            product.rows = rows.voxels;
            product.columns = panel_width(columns_, panel);
            product.lda = rows.channels;
            product.ldc = rows.ldc;
            product.c = rows.c + first;
            product.packed = packed_ + first * depth_;
            for (std::size_t tap = 0; tap < 27; ++tap) multiply_tap(rows, tap, product);
        }
    }

  private:
    // Input channels of a product of neighbours: their weights for a panel stay in the first cache.
    static constexpr std::size_t channels_at_once = 128;

    static void multiply_tap(const NeighbourRows& rows, std::size_t tap, PanelProduct& product) {
        for (std::size_t channel = 0; channel < rows.channels; channel += channels_at_once) {
            product.depth = std::min(channels_at_once, rows.channels - channel);
            PanelProduct line = product;
            for (std::size_t i = 0; i < rows.lines.size(); ++i, line.c += line.rows * line.ldc) {
                line.a = rows.neighbour(i, tap) + channel;
                multiply(line);
            }
            product.packed += product.depth * product.columns;
            product.add = true;
        }
    }

    std::size_t depth_, columns_;
    const float* packed_;
};

class UnitProducts : public TileProducts {
  public:
    UnitProducts(std::size_t depth, std::size_t columns, const float* packed)
        : depth_(depth), panels_(columns / MatrixUnit::panel_columns), packed_(packed) {}

    std::int64_t tiles_of_block() const override { return 64; }
    std::int64_t even_rows() const override { return MatrixUnit::tile_rows; }
    // Rows are split once for all panels of a share.
    std::int64_t shares(std::int64_t products, std::int64_t workers) const override {
        return std::min(products, 2 * workers);
    }

    void multiply_points(const PointRows& rows, Range range) const override {
        MatrixUnit unit;
        UnitProduct product;
        product.rows.resize(rows.rows);
        product.depth = depth_;
        product.panel_stride = depth_ * MatrixUnit::panel_columns;
        product.ldc = rows.ldc;
        for (std::size_t index = range.begin; index < range.end;) {
            const std::size_t point = index / panels_ - rows.first_point;
            const std::size_t panel = index % panels_;
            for (std::size_t i = 0; i < rows.rows; ++i) product.rows[i] = rows.a + point * rows.a_point + i * rows.lda;
            product.packed = packed_ + index * product.panel_stride;
            product.c = rows.c + point * rows.c_point + panel * MatrixUnit::panel_columns;
            product.panels = std::min(panels_ - panel, range.end - index);
            index += product.panels;
            product.next = index < range.end ? packed_ + index * product.panel_stride : nullptr;
            unit.multiply(product);
        }
    }

    void multiply_neighbours(const NeighbourRows& rows, Range panels) const override {
        MatrixUnit unit;
        UnitProduct product;
        product.rows.resize(rows.lines.size() * rows.voxels);
        product.depth = rows.channels;
        product.panels = panels.end - panels.begin;
        product.panel_stride = depth_ * MatrixUnit::panel_columns;
        product.packed = packed_ + panels.begin * product.panel_stride;
        product.c = rows.c + panels.begin * MatrixUnit::panel_columns;
        product.ldc = rows.ldc;
        for (std::size_t tap = 0; tap < 27; ++tap) {
            for (std::size_t i = 0; i < product.rows.size(); ++i) {
                product.rows[i] = rows.neighbour(i / rows.voxels, tap) + i % rows.voxels * rows.channels;
            }
            const float* next = product.packed + rows.channels * MatrixUnit::panel_columns;
            product.next = tap + 1 < 27 ? next : nullptr;
            unit.multiply(product);
            product.packed = next;
            product.add = true;
        }
    }

  private:
    std::size_t depth_, panels_;
    const float* packed_;
};

// With more points than these, f244 and f444, a block of tiles is done with the weights of a point before their
// splitting has paid: vectors take four fifths of the unit's time at 64 channels; with f224, f222 and nearest_2x the
// unit takes three quarters of theirs, with direct two thirds (measured: a Xeon with AMX).
constexpr std::size_t most_points_on_unit = 96;

bool suits_unit(const TileKernels& kernels, std::size_t depth, std::size_t columns) {
    const std::size_t terms = depth / kernels.terms;  // of a point, or of a neighbour
    return kernels.multiplied && kernels.points <= most_points_on_unit && MatrixUnit::takes(terms, columns);
}

}  // namespace

std::unique_ptr<const TileProducts> tile_products(const TileKernels& kernels, std::size_t depth, std::size_t columns,
                                                  const float* packed) {
    if (suits_unit(kernels, depth, columns)) return std::make_unique<UnitProducts>(depth, columns, packed);
    return std::make_unique<VectorProducts>(depth, columns, packed);
}

}  // namespace voldiff::ops

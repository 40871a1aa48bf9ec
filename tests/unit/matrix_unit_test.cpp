// Products on the matrix unit against float64.
#include "core/ops/kernels/matrix_unit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

namespace voldiff {
namespace {

using ops::MatrixUnit;
using ops::UnitProduct;

constexpr std::size_t columns_of_panel = MatrixUnit::panel_columns;

struct Matrices {
    std::size_t rows, depth, panels;
    std::vector<float> a, b, c;

    Matrices(std::size_t r, std::size_t d, std::size_t p, double scale = 1) : rows(r), depth(d), panels(p) {
        std::mt19937 random(static_cast<unsigned>(r + d + p));
        std::normal_distribution<double> normal;
        a.resize(rows * depth);
        b.resize(depth * columns());
        c.assign(rows * columns(), 0.5F);
        for (float& x : a) x = static_cast<float>(scale * normal(random));
        for (float& x : b) x = static_cast<float>(normal(random) / scale);
    }
    std::size_t columns() const { return panels * columns_of_panel; }
    float packed(std::size_t k, std::size_t column) const {
        return b[(column / columns_of_panel * depth + k) * columns_of_panel + column % columns_of_panel];
    }
    UnitProduct product() {
        UnitProduct product;
        for (std::size_t i = 0; i < rows; ++i) product.rows.push_back(a.data() + i * depth);
        product.depth = depth;
        product.packed = b.data();
        product.panels = panels;
        product.panel_stride = depth * columns_of_panel;
        product.c = c.data();
        product.ldc = columns();
        return product;
    }
    double exact(std::size_t i, std::size_t j) const {
        double sum = 0;
        for (std::size_t k = 0; k < depth; ++k) sum += static_cast<double>(a[i * depth + k]) * packed(k, j);
        return sum;
    }
    // Of float32's own fused multiply-adds, one after the other.
    float chained(std::size_t i, std::size_t j) const {
        float sum = 0;
        for (std::size_t k = 0; k < depth; ++k) sum = std::fma(a[i * depth + k], packed(k, j), sum);
        return sum;
    }
};

double rms_error(const Matrices& m, const std::function<double(std::size_t, std::size_t)>& value) {
    double squares = 0;
    for (std::size_t i = 0; i < m.rows; ++i) {
        for (std::size_t j = 0; j < m.columns(); ++j) squares += std::pow(value(i, j) - m.exact(i, j), 2);
    }
    return std::sqrt(squares / static_cast<double>(m.rows * m.columns()));
}

struct Shape {
    std::size_t rows, depth, panels;
};

class MatrixUnitProduct : public testing::TestWithParam<Shape> {
    void SetUp() override {
        if (!MatrixUnit::available()) GTEST_SKIP() << "this machine has no matrix unit";
    }
};

TEST_P(MatrixUnitProduct, IsMoreExactThanFusedMultiplyAdds) {
    const auto [rows, depth, panels] = GetParam();
    Matrices m(rows, depth, panels);
    MatrixUnit().multiply(m.product());
    const double own = rms_error(m, [&](std::size_t i, std::size_t j) { return m.c[i * m.columns() + j]; });
    EXPECT_LT(own, rms_error(m, [&](std::size_t i, std::size_t j) { return m.chained(i, j); }));
}

TEST_P(MatrixUnitProduct, AddsToWhatIsThere) {
    const auto [rows, depth, panels] = GetParam();
    Matrices m(rows, depth, panels);
    UnitProduct product = m.product();
    product.add = true;
    MatrixUnit().multiply(product);
    // A sum of n terms of the size of one has lost n roundings of 2^-24 at most.
    const double tolerance = static_cast<double>(depth * depth) * std::pow(2.0, -24);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < m.columns(); ++j) {
            ASSERT_NEAR(m.c[i * m.columns() + j], 0.5 + m.exact(i, j), tolerance) << i << ' ' << j;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, MatrixUnitProduct,
                         testing::Values(Shape{1, 32, 1}, Shape{16, 64, 2}, Shape{17, 96, 1}, Shape{33, 160, 3},
                                         Shape{64, 512, 2}, Shape{65, 64, 1}, Shape{130, 192, 2}));

TEST(MatrixUnit, TakesUpThePanelThatWasAnnounced) {
    if (!MatrixUnit::available()) GTEST_SKIP() << "this machine has no matrix unit";
    Matrices first(20, 96, 2), second(40, 96, 2);
    MatrixUnit unit;
    UnitProduct announcing = first.product();
    announcing.next = second.b.data();
    unit.multiply(announcing);
    unit.multiply(second.product());
    Matrices alone(40, 96, 2);
    MatrixUnit().multiply(alone.product());
    EXPECT_EQ(second.c, alone.c);
}

TEST(MatrixUnit, KeepsSmallAndLargeNumbers) {
    if (!MatrixUnit::available()) GTEST_SKIP() << "this machine has no matrix unit";
    for (const double scale : {1e-12, 1e12}) {
        Matrices m(16, 64, 1, scale);
        MatrixUnit().multiply(m.product());
        const double own = rms_error(m, [&](std::size_t i, std::size_t j) { return m.c[i * m.columns() + j]; });
        EXPECT_LT(own, rms_error(m, [&](std::size_t i, std::size_t j) { return m.chained(i, j); })) << scale;
    }
}

TEST(MatrixUnit, DoesNotHideWhatIsNotFinite) {
    if (!MatrixUnit::available()) GTEST_SKIP() << "this machine has no matrix unit";
    for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        Matrices m(16, 64, 1);
        m.a[5 * 64 + 7] = bad;
        MatrixUnit().multiply(m.product());
        for (std::size_t j = 0; j < m.columns(); ++j) EXPECT_FALSE(std::isfinite(m.c[5 * m.columns() + j]));
        EXPECT_TRUE(std::isfinite(m.c[6 * m.columns()]));
    }
}

}  // namespace
}  // namespace voldiff

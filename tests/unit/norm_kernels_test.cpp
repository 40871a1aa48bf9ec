// What the normalisation kernels compute a value at a time.
#include "core/ops/kernels/norm_kernels.h"
#include "tests/support/kept_threads.h"

#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace voldiff::ops {
namespace {

// Of one voxel with x.size() channels: whole vectors, and a rest.
std::vector<float> silu_of(const std::vector<float>& x) {
    const std::size_t padded = x.size() + 64;  // no vector has more floats
    ChannelAffine same;
    same.centre.assign(padded, 0.0F);
    same.scale.assign(padded, 1.0F);
    same.shift.assign(padded, 0.0F);
    std::vector<float> y(x.size());
    normalise(x.data(), 1, static_cast<std::int64_t>(x.size()), same, true, y.data(), x.size());
    return y;
}

// exp is off by 0.7 ulp (twice that where products and sums are not fused), the sum and the quotient by half a one
// each.
TEST(Silu, IsWithinAFewRoundingsOfFloat64) {
    std::vector<float> x;
    for (float value = 1e-6F; value < 80; value *= 1.001F) x.insert(x.end(), {value, -value});
    const std::vector<float> y = silu_of(x);
    double largest = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double exact = x[i] / (1 + std::exp(-static_cast<double>(x[i])));
        largest = std::max(largest, std::abs(y[i] / exact - 1));
    }
    EXPECT_LT(largest, 2.5 * 1.2e-7);
}

TEST(Silu, OfHugeValuesIsThemselvesOrNothing) {
    const float huge = std::numeric_limits<float>::max();
    const std::vector<float> y = silu_of({0.0F, 100.0F, huge, -100.0F, -3000.0F});
    EXPECT_EQ(y[0], 0.0F);
    EXPECT_EQ(y[1], 100.0F);
    EXPECT_EQ(y[2], huge);
    EXPECT_NEAR(y[3], 0, 1e-35);
    EXPECT_NEAR(y[4], 0, 1e-34);
}

// A network that has gone astray must not look sound.
TEST(Silu, OfNanIsNan) {
    const std::vector<float> y = silu_of({std::nanf(""), std::nanf("1"), 1.0F});
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_TRUE(std::isnan(y[1]));
    EXPECT_FALSE(std::isnan(y[2]));
}

TEST(Moments, AreTheSameBitsWithAnyThreads) {
    std::vector<float> x(50000 * 20);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i * i % 1000003));
    const KeptThreads kept;
    std::vector<ChannelMoments> measured;
    for (const int threads : {1, 2, 3, 7}) {
        at::set_num_threads(threads);
        measured.push_back(moments_of(x.data(), 50000, 20));
    }
    for (const ChannelMoments& moments : measured) {
        EXPECT_EQ(moments.mean, measured[0].mean);
        EXPECT_EQ(moments.squares, measured[0].squares);
    }
}

}  // namespace
}  // namespace voldiff::ops

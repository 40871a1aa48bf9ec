// The building blocks against their definitions in float64.
#include "core/error.h"
#include "core/ops/attention.h"
#include "core/ops/conv.h"
#include "core/ops/conv_libtorch.h"
#include "core/ops/norm.h"
#include "core/ops/upsample.h"
#include "core/ops/volumes.h"

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/conv_transpose3d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_nearest3d.h>

namespace voldiff {
namespace {

at::Tensor normal(at::IntArrayRef shape, int seed = 0) {
    auto generator = at::detail::createCPUGenerator(static_cast<std::uint64_t>(seed));
    return at::randn(shape, generator);
}

double difference(const at::Tensor& got, const at::Tensor& expected) {
    return (got.to(at::kDouble) - expected.to(at::kDouble)).abs().max().item<double>() /
           expected.to(at::kDouble).abs().max().item<double>();
}

// A float32 sum of n products of order one is off by about sqrt(n) eps; 8 of these is far from a wrong term (1 /
// sqrt(n)).
double sum_tolerance(double n) { return 8 * std::sqrt(n) * 1.2e-7; }

at::Tensor plain_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale) {
    return at::matmul(at::softmax(at::matmul(q, k.transpose(2, 3)) * scale, -1), v);
}

TEST(Attention, IsExactInChunksOfQueries) {
    // 2 heads x 3000 keys: more scores than are held at a time.
    const at::Tensor q = normal({1, 2, 3000, 8}, 1);
    const at::Tensor k = normal({1, 2, 3000, 8}, 2);
    const at::Tensor v = normal({1, 2, 3000, 8}, 3);
    const at::Tensor expected = plain_attention(q.to(at::kDouble), k.to(at::kDouble), v.to(at::kDouble), 0.35);
    ops::AttentionOptions options;
    options.scale = 0.35;
    EXPECT_LT(difference(ops::attention(q, k, v, options), expected), sum_tolerance(3000));
}

TEST(Attention, GivesEveryChunkItsOwnRows) {
    const at::Tensor q = normal({1, 1, 4000, 4}, 1);
    const at::Tensor k = normal({1, 1, 4000, 4}, 2);
    std::int64_t covered = 0;
    ops::AttentionOptions options;
    options.adjust_scores = [&](at::Tensor& scores, std::int64_t begin, std::int64_t end) {
        EXPECT_EQ(begin, covered);
        EXPECT_EQ(scores.size(2), end - begin);
        covered = end;
    };
    ops::attention(q, k, q, options);
    EXPECT_EQ(covered, 4000);
}

TEST(Attention, KeepsTheMatrixWhenAsked) {
    const at::Tensor q = normal({1, 2, 5, 4}, 1);
    at::Tensor matrix;
    ops::AttentionOptions options;
    options.probabilities = &matrix;
    ops::attention(q, q, q, options);
    ASSERT_EQ(matrix.sizes(), at::IntArrayRef({1, 2, 5, 5}));
    EXPECT_LT(difference(matrix.sum(-1), at::ones({1, 2, 5})), 1e-6);
}

// A network that has gone astray must not look sound; 600 keys are more than a block of them.
TEST(Attention, OfAQueryOrKeyThatIsNanIsNan) {
    const at::Tensor k = normal({1, 1, 600, 8}, 2);
    const at::Tensor v = normal({1, 1, 600, 8}, 3);
    at::Tensor q = normal({1, 1, 600, 8}, 1);
    q.select(2, 5).fill_(std::nan(""));
    const at::Tensor of_query = ops::attention(q, k, v, {}).isnan();
    EXPECT_TRUE(of_query.select(2, 5).all().item<bool>());
    EXPECT_EQ(of_query.sum().item<std::int64_t>(), 8);
    k.select(2, 599).fill_(std::nan(""));
    EXPECT_TRUE(ops::attention(normal({1, 1, 600, 8}, 1), k, v, {}).isnan().all().item<bool>());
}

TEST(Attention, RefusesValuesOfAnotherType) {
    const at::Tensor q = normal({1, 1, 3, 4});
    try {
        ops::attention(q.to(at::kDouble), q.to(at::kDouble), q, {});
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config);
        EXPECT_NE(std::string(error.what()).find("attention_dtype"), std::string::npos);
    }
}

TEST(Conv3d, IsTheSameInSlabs) {
    // 17 planes of 64 * 256^2 values: large enough for slabs, with a remainder.
    const at::Tensor x = normal({1, 64, 17, 256, 256}, 1);
    const at::Tensor weight = normal({2, 64, 3, 3, 3}, 2);
    const at::Tensor bias = normal({2}, 3);
    const at::Tensor whole = at::conv3d(x, weight, bias, 1, 1);
    // The same products, at most in another order: 64 * 27 of them.
    EXPECT_LT(difference(ops::conv3d(x, weight, bias, 1, 1), whole), sum_tolerance(64 * 27));
    const at::Tensor pointwise = normal({2, 64, 1, 1, 1}, 4);
    EXPECT_LT(difference(ops::conv3d(x, pointwise, bias, 1, 0), at::conv3d(x, pointwise, bias)), sum_tolerance(64));
}

TEST(Conv3d, MatchesFloat64WhereOneDnnIsPreferred) {
    const at::Tensor x = normal({1, 64, 8, 8, 8}, 1);
    const at::Tensor weight = normal({16, 64, 3, 3, 3}, 2);
    const at::Tensor bias = normal({16}, 3);
    const at::Tensor exact = at::conv3d(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble), 1, 1);
    EXPECT_LT(difference(ops::conv3d(x, weight, bias, 1, 1), exact), sum_tolerance(64 * 27) / 40);
    const at::Tensor halved = at::conv3d(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble), 2, 1);
    // LibTorch's own, which may sum all n terms in a row: partial sum k, of size sqrt(k), is rounded by some eps /
    // sqrt(12) of itself, so the whole by eps sqrt(n / 24) of its size. Twice that is far from a wrong term.
    const double in_a_row = std::sqrt(64 * 27 / 24.0) * 1.2e-7;
    EXPECT_LT(difference(ops::conv3d(x, weight, bias, 2, 1), halved), 2 * in_a_row);
}

TEST(GroupNorm, UsesMeanAndBiasedVarianceOfEachGroup) {
    const at::Tensor x = normal({2, 6, 3, 4, 5}, 1) * 3 + 7;
    const at::Tensor weight = normal({6}, 2);
    const at::Tensor bias = normal({6}, 3);
    const at::Tensor groups = x.to(at::kDouble).view({2, 3, -1});
    const at::Tensor variance = groups.var(-1, /*unbiased=*/false, true);
    const at::Tensor normalised = (groups - groups.mean(-1, true)) / (variance + 1e-6).sqrt();
    const at::Tensor expected = normalised.view({2, 6, 3, 4, 5}) * weight.view({1, 6, 1, 1, 1}).to(at::kDouble) +
                                bias.view({1, 6, 1, 1, 1}).to(at::kDouble);
    EXPECT_LT(difference(ops::group_norm(x, {3, weight, bias, 1e-6}), expected), 5e-6);
    EXPECT_LT(difference(ops::group_norm_silu(x, {3, weight, bias, 1e-6}), expected * at::sigmoid(expected)), 5e-6);
}

TEST(GroupNorm, InFloat16RoundsAfterEveryPartOfIt) {
    const at::Tensor x = at::tensor({-1.0F, 1.0F}).view({1, 1, 1, 1, 2});
    const at::Tensor y = ops::group_norm_float16(x, 1, at::tensor({3.7F}), at::tensor({0.2F}), 1.0);
    // sqrt(1/2) becomes 0.70703125, its product with 3.7 then 2.615234375 (3.7 is not rounded), the sum 2.814453125.
    // With a rounding left out it is 2.81640625.
    EXPECT_TRUE(at::equal(y.flatten(), at::tensor({-2.416015625F, 2.814453125F}).to(at::kHalf)));
}

TEST(Upsample, TrilinearDoesNotAlignCorners) {
    const at::Tensor x = at::tensor({0.0F, 4.0F}).view({1, 1, 1, 1, 2});
    const at::Tensor expected = at::tensor({0.0F, 1.0F, 3.0F, 4.0F}).view({1, 1, 1, 1, 4}).expand({1, 1, 2, 2, 4});
    EXPECT_TRUE(at::equal(ops::upsample_trilinear_2x(x), expected.contiguous()));
}

TEST(Volumes, ChannelsAreJoinedInAnyLayout) {
    const at::Tensor x = normal({2, 3, 4, 5, 6}, 1);
    const at::Tensor y = normal({2, 5, 4, 5, 6}, 2).contiguous(at::MemoryFormat::ChannelsLast3d);
    EXPECT_TRUE(at::equal(ops::join_channels(x, y), at::cat({x, y}, 1)));
}

// Channels that fill no whole vector, an odd extent, two samples. The eight values of a mean may be added in another
// order: seven roundings of 6e-8 of a sum, at most 8 times 4 here, divided by 8.
TEST(Upsample, OwnKernelsGiveWhatLibTorchGives) {
    const at::Tensor x = normal({2, 21, 5, 4, 6}, 1);
    EXPECT_TRUE(at::equal(ops::upsample_nearest_2x(x), at::upsample_nearest3d(x, at::IntArrayRef{10, 8, 12})));
    EXPECT_TRUE(at::allclose(ops::average_pool_2x(x), at::avg_pool3d(x, 2, 2), 1e-6, 1e-6));
    const ops::GroupNormParameters norm{3, normal({21}, 2), normal({21}, 3)};
    const at::Tensor in_steps = at::avg_pool3d(ops::group_norm_silu(x, norm), 2, 2);
    EXPECT_TRUE(at::allclose(ops::average_pool_2x(x, norm), in_steps, 1e-6, 1e-6));
}

TEST(Upsample, PoolingLeavesAnOddPlaneOut) {
    const at::Tensor x = at::arange(5, at::kFloat).view({1, 1, 1, 1, 5}).expand({1, 1, 2, 2, 5});
    const at::Tensor expected = at::tensor({0.5F, 2.5F}).view({1, 1, 1, 1, 2});
    EXPECT_TRUE(at::equal(ops::average_pool_2x(x), expected));
}

}  // namespace
// Large enough for several slabs; each output voxel is summed in one of them, so that only the order of sums may
// differ.
TEST(ConvTranspose, IsTheSameInSlabs) {
    struct Kind {
        std::int64_t kernel, padding, output_padding;
    };
    for (const Kind& kind : {Kind{3, 1, 1}, Kind{2, 0, 0}}) {
        const at::Tensor x = normal({1, 3, 9, 160, 160}, 1);
        const std::int64_t k = kind.kernel;
        const at::Tensor weight = normal({3, 40, k, k, k}, 2);
        const at::Tensor bias = normal({40}, 3);
        const at::Tensor slabs = ops::libtorch_conv_transpose3d(x, weight, bias, 2, kind.padding, kind.output_padding);
        const at::Tensor whole = at::conv_transpose3d(x, weight, bias, 2, kind.padding, kind.output_padding);
        ASSERT_EQ(slabs.sizes(), whole.sizes());
        const double eps = 1.2e-7;
        const double terms = 3 * 8;  // channels, and at most 8 input voxels for one of the output
        EXPECT_LE((slabs - whole).abs().max().item<double>(), terms * eps * whole.abs().max().item<double>());
    }
}

}  // namespace voldiff

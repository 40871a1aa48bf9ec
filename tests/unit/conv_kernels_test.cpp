// The kernels of convolutions against float64, each variant by itself.
#include "core/ops/conv.h"
#include "core/ops/conv_policy.h"
#include "core/ops/kernels/matrix_unit.h"
#include "core/ops/kernels/norm_kernels.h"
#include "core/ops/kernels/plane_conv.h"
#include "core/ops/volumes.h"
#include "tests/support/kept_threads.h"

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/conv_transpose3d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/upsample_nearest3d.h>
#include <ATen/ops/upsample_trilinear3d.h>

#include <cmath>

namespace voldiff {
namespace {

using ops::ConvVariant;

at::Tensor normal(at::IntArrayRef shape, std::uint64_t seed) {
    return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions());
}

at::Tensor in_double(const at::Tensor& x) { return x.to(at::kDouble); }

double largest(const at::Tensor& x) { return in_double(x).abs().max().item<double>(); }
double rms(const at::Tensor& x) { return std::sqrt(in_double(x).pow(2).mean().item<double>()); }

at::Tensor doubled(const at::Tensor& x) {
    return at::upsample_nearest3d(x, {2 * x.size(2), 2 * x.size(3), 2 * x.size(4)});
}

struct Layer {
    at::Tensor weight, bias;
};

Layer make_layer(std::int64_t outputs, std::int64_t inputs) {
    return {normal({outputs, inputs, 3, 3, 3}, 7) / std::sqrt(27.0 * static_cast<double>(inputs)),
            normal({outputs}, 8)};
}

// x [1, C, D, H, W] through one variant; gathers the moments of the output where asked.
at::Tensor by_kernel(ConvVariant variant, const at::Tensor& x, const Layer& layer,
                     ops::ChannelMoments* moments = nullptr) {
    const auto outputs = layer.weight.size(0);
    const ops::PackedConv packed =
        ops::pack_conv(variant, static_cast<std::size_t>(outputs), static_cast<std::size_t>(x.size(1)),
                       layer.weight.data_ptr<float>(), layer.bias.data_ptr<float>());
    const std::int64_t scale = ops::tile_kernels(variant).output[0] / ops::tile_kernels(variant).step[0];
    const at::Tensor input = ops::channels_last(x);
    const at::Tensor y = ops::empty_volume({1, outputs, scale * x.size(2), scale * x.size(3), scale * x.size(4)}, x);
    ops::ConvPlanes planes;
    planes.read_row = [&](std::int64_t z, std::int64_t row, float* out, std::size_t stride) {
        const float* in = ops::volume(input, 0) + (z * x.size(3) + row) * x.size(4) * x.size(1);
        for (std::int64_t i = 0; i < x.size(4); ++i) {
            std::copy_n(in + i * x.size(1), x.size(1), out + i * static_cast<std::int64_t>(stride));
        }
    };
    planes.output = [&](std::int64_t z) { return ops::volume(y, 0) + z * y.size(3) * y.size(4) * outputs; };
    planes.moments = moments;
    ops::PlaneConv conv(packed, {x.size(2), x.size(3), x.size(4)}, planes);
    while (conv.step()) {
    }
    return y;
}

at::Tensor exact(ConvVariant variant, const at::Tensor& x, const Layer& layer) {
    at::Tensor input = in_double(x);
    if (variant == ConvVariant::nearest_2x) input = doubled(input);
    if (variant == ConvVariant::zeros_2x) input = ops::upsample_zeros_2x(input);
    return at::conv3d(input, in_double(layer.weight), in_double(layer.bias), 1, 1);
}

// Bound of the rms error over the rms of the convolution without its bias, in float32 epsilons. A sum of n rounded
// products is off by some sqrt(n) / 4 of them; here at most 8 + 128 / 8 terms are summed in a row (64 + C / 64 with
// few registers). The output transform multiplies that by the norm of its rows along each axis, and no axis by more
// than 4.
double bound(ConvVariant variant) {
    constexpr double eps = 1.2e-7;
    switch (variant) {
        case ConvVariant::direct:
        case ConvVariant::nearest_2x:
        case ConvVariant::zeros_2x:
        case ConvVariant::narrow:
        case ConvVariant::f122:
        case ConvVariant::f222:
            return 4 * eps;
        case ConvVariant::f224:
            return 7 * eps;
        case ConvVariant::shallow:  // sums the 9 C terms of a plane in a row, 1152 at most here: sqrt(1152) / 4 = 8.5
            return 10 * eps;
        case ConvVariant::f244:
            return 12 * eps;
        case ConvVariant::f444:
            break;
    }
    return 20 * eps;
}

const std::vector<ConvVariant> all_variants = {
    ConvVariant::direct, ConvVariant::f122,       ConvVariant::f222,     ConvVariant::f224,   ConvVariant::f244,
    ConvVariant::f444,   ConvVariant::nearest_2x, ConvVariant::zeros_2x, ConvVariant::narrow, ConvVariant::shallow};

class ConvKernel : public testing::TestWithParam<ConvVariant> {};
INSTANTIATE_TEST_SUITE_P(Variants, ConvKernel, testing::ValuesIn(all_variants));

TEST_P(ConvKernel, IsExactForAnyChannelsAndExtents) {
    const std::vector<std::array<std::int64_t, 5>> shapes = {
        {1, 1, 3, 4, 5},   {3, 4, 1, 1, 1},    {4, 8, 7, 6, 9},     {8, 3, 5, 11, 2},
        {33, 20, 6, 5, 7}, {64, 64, 9, 8, 10}, {128, 33, 4, 13, 6}, {20, 128, 8, 4, 4},
    };
    for (const auto& [inputs, outputs, depth, height, width] : shapes) {
        const at::Tensor x = normal({1, inputs, depth, height, width}, 1);
        const Layer layer = make_layer(outputs, inputs);
        const at::Tensor expected = exact(GetParam(), x, layer);
        const at::Tensor error = in_double(by_kernel(GetParam(), x, layer)) - expected;
        const double scale = rms(expected - in_double(layer.bias).view({1, -1, 1, 1, 1}));
        EXPECT_LT(rms(error), bound(GetParam()) * (scale + rms(layer.bias))) << inputs << " -> " << outputs;
        EXPECT_LT(largest(error), 8 * bound(GetParam()) * (scale + rms(layer.bias))) << inputs << " -> " << outputs;
    }
}

// All of the error scales with the input; an offset is part of it.
TEST_P(ConvKernel, KeepsItsDigitsBesideAnOffset) {
    const at::Tensor x = normal({1, 32, 8, 9, 10}, 2) + 10;
    const Layer layer = make_layer(16, 32);
    const at::Tensor expected = exact(GetParam(), x, layer);
    EXPECT_LT(rms(in_double(by_kernel(GetParam(), x, layer)) - expected), bound(GetParam()) * 11);
}

// A value in one voxel reaches its neighbours and no others, whatever the tiles are.
TEST_P(ConvKernel, ReachesNeighboursOnly) {
    at::Tensor x = normal({1, 4, 9, 9, 9}, 3) * 0;
    x.select(2, 4).select(2, 4).select(2, 4).fill_(1);
    const Layer layer = make_layer(5, 4);
    const at::Tensor expected = exact(GetParam(), x, layer);
    EXPECT_LT(largest(in_double(by_kernel(GetParam(), x, layer)) - expected), 8 * bound(GetParam()));
}

TEST_P(ConvKernel, GathersTheMomentsOfItsOutput) {
    const at::Tensor x = normal({1, 12, 6, 7, 9}, 4);
    Layer layer = make_layer(20, 12);
    layer.bias = layer.bias + 1000;  // a mean far from zero
    ops::ChannelMoments moments(20);
    const at::Tensor y = in_double(by_kernel(GetParam(), x, layer, &moments));
    ASSERT_EQ(moments.count, static_cast<double>(y.numel() / 20));
    for (std::int64_t c = 0; c < 20; ++c) {
        const at::Tensor channel = y.select(1, c);
        const auto at = static_cast<std::size_t>(c);
        EXPECT_NEAR(moments.mean[at], channel.mean().item<double>(), 1e-6);
        const double variance = channel.var(/*unbiased=*/false).item<double>();
        EXPECT_NEAR(moments.squares[at] / moments.count / variance, 1, 1e-5);
    }
}

// Sums are merged in the order of the tiles: which thread had which tile is chance.
TEST_P(ConvKernel, GivesTheSameBitsWithAnyThreads) {
    const at::Tensor x = normal({1, 12, 17, 19, 21}, 4);
    const Layer layer = make_layer(20, 12);
    const KeptThreads kept;
    std::vector<ops::ChannelMoments> gathered;
    std::vector<at::Tensor> outputs;
    for (const int threads : {1, 2, 3, 7}) {
        at::set_num_threads(threads);
        outputs.push_back(by_kernel(GetParam(), x, layer, &gathered.emplace_back(20)));
    }
    for (const at::Tensor& y : outputs) EXPECT_EQ(largest(y - outputs[0]), 0);
    for (const ops::ChannelMoments& moments : gathered) {
        EXPECT_EQ(moments.count, gathered[0].count);
        EXPECT_EQ(moments.mean, gathered[0].mean);
        EXPECT_EQ(moments.squares, gathered[0].squares);
    }
}

// 20000 x 20000 channels would take 43 GB.
TEST(ConvPolicy, LeavesToLibTorchWhatDoesNotFitTheBudget) {
    EXPECT_FALSE(ops::choose_conv({20000, 20000, {64, 64, 64}, ops::Upsampling::none, {}}).has_value());
    EXPECT_FALSE(ops::choose_conv({20000, 20000, {64, 64, 64}, ops::Upsampling::nearest, {}}).has_value());
}

// 3.8 GB: within the budget, but nothing would be left for the layers after it, which take some MB.
TEST(ConvPolicy, LeavesRoomForSmallLayers) {
    EXPECT_FALSE(ops::choose_conv({5952, 5952, {2, 2, 2}, ops::Upsampling::none, {}}).has_value());
}

TEST(ConvPolicy, GivesFewOutputsTheirOwnKernel) {
    if (!ops::for_own_kernels(at::TensorOptions())) GTEST_SKIP() << "LibTorch alone";
    EXPECT_EQ(ops::choose_conv({64, 1, {128, 128, 128}, ops::Upsampling::none, {}}), ConvVariant::narrow);
    EXPECT_NE(ops::choose_conv({64, 8, {128, 128, 128}, ops::Upsampling::none, {}}), ConvVariant::narrow);
}

TEST(ConvPolicy, GivesFewInputsTheirOwnKernel) {
    if (!ops::for_own_kernels(at::TensorOptions())) GTEST_SKIP() << "LibTorch alone";
    EXPECT_EQ(ops::choose_conv({4, 64, {32, 32, 32}, ops::Upsampling::none, {}}), ConvVariant::shallow);
    EXPECT_EQ(ops::choose_conv({1, 64, {4, 4, 4}, ops::Upsampling::none, {}}), ConvVariant::shallow);
    EXPECT_NE(ops::choose_conv({8, 64, {32, 32, 32}, ops::Upsampling::none, {}}), ConvVariant::shallow);
}

// See the table: a matrix unit waits for weights there, vectors for products.
TEST(ConvPolicy, SparesWeightsOrProductsAtTheCoarsestLevels) {
    if (!ops::for_own_kernels(at::TensorOptions())) GTEST_SKIP() << "LibTorch alone";
    const auto chosen = [](std::int64_t extent) {
        return ops::choose_conv({512, 512, {extent, extent, extent}, ops::Upsampling::none, {}});
    };
    const bool unit = ops::MatrixUnit::available();
    EXPECT_EQ(ops::choose_conv({256, 256, {8, 8, 8}, ops::Upsampling::none, {}}),
              unit ? ConvVariant::f222 : ConvVariant::f224);
    EXPECT_EQ(chosen(8), ConvVariant::f222);
    EXPECT_EQ(chosen(5), ConvVariant::f222);
    EXPECT_EQ(chosen(4), unit ? ConvVariant::direct : ConvVariant::f122);
    EXPECT_EQ(chosen(2), ConvVariant::direct);
}

struct FusionCase {
    ops::Upsampling upsampling;
    bool norm;
};

class FusedConv : public testing::TestWithParam<FusionCase> {};
INSTANTIATE_TEST_SUITE_P(
    Kinds, FusedConv,
    testing::Values(FusionCase{ops::Upsampling::none, false}, FusionCase{ops::Upsampling::none, true},
                    FusionCase{ops::Upsampling::nearest, true}, FusionCase{ops::Upsampling::zeros, true},
                    FusionCase{ops::Upsampling::trilinear, false}, FusionCase{ops::Upsampling::trilinear, true}));

at::Tensor expected_fusion(const FusionCase& kind, const at::Tensor& x, const Layer& layer,
                           const ops::GroupNormParameters& norm, const at::Tensor& shift, const at::Tensor& residual) {
    at::Tensor h = in_double(x);
    if (kind.norm) {
        h = at::group_norm(h, norm.groups, in_double(norm.weight), in_double(norm.bias), norm.eps);
        h = h * at::sigmoid(h);
    }
    if (kind.upsampling == ops::Upsampling::nearest) h = doubled(h);
    if (kind.upsampling == ops::Upsampling::zeros) h = ops::upsample_zeros_2x(h);
    if (kind.upsampling == ops::Upsampling::trilinear) {
        h = at::upsample_trilinear3d(h, {2 * x.size(2), 2 * x.size(3), 2 * x.size(4)}, false, 2.0, 2.0, 2.0);
    }
    return at::conv3d(h, in_double(layer.weight), in_double(layer.bias), 1, 1) +
           in_double(shift).view({x.size(0), -1, 1, 1, 1}) + in_double(residual);
}

// Two samples, odd extents, channels that fill no vector; by the kernels and by LibTorch.
TEST_P(FusedConv, IsTheSameAsOneStepAfterTheOther) {
    const at::Tensor x = normal({2, 12, 5, 6, 7}, 1);
    const Layer layer = make_layer(10, 12);
    const ops::GroupNormParameters norm{3, normal({12}, 2), normal({12}, 3), 1e-6};
    const std::int64_t scale = GetParam().upsampling == ops::Upsampling::none ? 1 : 2;
    const at::Tensor shift = normal({2, 10}, 4);
    const at::Tensor residual = normal({2, 10, scale * 5, scale * 6, scale * 7}, 5);
    ops::ConvFusion fusion = ops::ConvFusion().upsampled(GetParam().upsampling).plus_shift(shift).plus(residual);
    if (GetParam().norm) fusion = fusion.norm_silu(norm);
    const at::Tensor expected = expected_fusion(GetParam(), x, layer, norm, shift, residual);
    for (const bool own : {true, false}) {
        ops::use_own_kernels(own);
        const at::Tensor y = ops::conv3d(x, {layer.weight, layer.bias}, fusion);
        EXPECT_LT(rms(in_double(y) - expected), 2e-6 * rms(expected)) << own;
        EXPECT_LT(largest(in_double(y) - expected), 1e-5 * largest(expected)) << own;
    }
    ops::use_own_kernels(true);
}

// What a convolution measures of its result is what the norm after it would measure; LibTorch measures nothing.
TEST_P(FusedConv, MeasuresWhatTheNextNormNeeds) {
    const at::Tensor x = normal({2, 12, 5, 6, 7}, 1);
    const Layer layer = make_layer(10, 12);
    const Layer next = make_layer(9, 10);
    const ops::GroupNormParameters norm{5, normal({10}, 2), normal({10}, 3), 1e-6};
    for (const bool own : {true, false}) {
        ops::use_own_kernels(own);
        ops::VolumeMoments moments;
        const at::Tensor shift = normal({2, 10}, 4) + 100;  // seen only by who measures the very result
        const ops::ConvFusion first = ops::ConvFusion().upsampled(GetParam().upsampling).plus_shift(shift);
        const at::Tensor h = ops::conv3d(x, {layer.weight, layer.bias}, first.measuring(&moments));
        EXPECT_EQ(moments.size(), own && ops::for_own_kernels(x) ? 2U : 0U);
        const at::Tensor y = ops::conv3d(h, {next.weight, next.bias}, ops::ConvFusion().norm_silu(norm, &moments));
        const at::Tensor measured_again = ops::conv3d(h, {next.weight, next.bias}, ops::ConvFusion().norm_silu(norm));
        // The same values in sums of at most 64, relative to a pivot: scale and shift differ by roundings of 6e-8,
        // sqrt(64) / 4 of them, and some more of the values after them.
        EXPECT_LT(largest(in_double(y - measured_again)), 2e-6 * largest(in_double(measured_again))) << own;
    }
    ops::use_own_kernels(true);
}

// Against LibTorch's own, by the kernels and without them.
TEST(TransposedConv, IsAConvolutionOfAVolumeWithZeros) {
    const at::Tensor x = normal({2, 12, 5, 6, 7}, 1);
    const at::Tensor weight = normal({12, 10, 3, 3, 3}, 2);
    const at::Tensor bias = normal({10}, 3);
    const at::Tensor expected =
        at::conv_transpose3d(in_double(x), in_double(weight), in_double(bias), /*stride=*/2, /*padding=*/1, 1);
    for (const bool own : {true, false}) {
        ops::use_own_kernels(own);
        const at::Tensor y = ops::conv_transpose3d(x, weight, bias, 2, 1, 1);
        EXPECT_LT(largest(in_double(y) - expected), 1e-5 * largest(expected)) << own;
    }
    ops::use_own_kernels(true);
}

TEST(PackedWeights, AreMadeAnewWhenTheWeightsChange) {
    const at::Tensor x = normal({1, 8, 4, 4, 4}, 1);
    Layer layer = make_layer(8, 8);
    ops::PackedWeights packed;
    const ops::ConvParameters conv{layer.weight, layer.bias, &packed};
    const at::Tensor before = ops::conv3d(x, conv);
    layer.weight.mul_(2);  // in place: the same tensor
    layer.bias.mul_(2);
    EXPECT_LT(largest(ops::conv3d(x, conv) - 2 * before), 1e-5);
    const Layer other = make_layer(8, 8);
    EXPECT_LT(largest(ops::conv3d(x, {other.weight, other.bias, &packed}) - before), 1e-5);
}

TEST(PackedWeights, FreeWhatTheyHold) {
    const std::size_t before = ops::packed_weight_bytes();
    {
        const Layer layer = make_layer(8, 8);
        ops::PackedWeights packed;
        ops::conv3d(normal({1, 8, 4, 4, 4}, 1), {layer.weight, layer.bias, &packed});
        if (ops::own_kernels() && ops::tile_kernels(ConvVariant::direct).lanes > 1) {
            EXPECT_GT(ops::packed_weight_bytes(), before);
        }
    }
    EXPECT_EQ(ops::packed_weight_bytes(), before);
}

// mean 1000, deviation 1: the sum of squares in float32 would have no digit of the variance left.
TEST(NormKernels, KeepTheDigitsOfASmallVarianceBesideALargeMean) {
    if (!ops::for_own_kernels(at::TensorOptions())) GTEST_SKIP() << "LibTorch alone";
    const at::Tensor x = normal({1, 8, 20, 21, 22}, 1) + 1000;
    const at::Tensor weight = normal({8}, 2);
    const at::Tensor bias = normal({8}, 3);
    const at::Tensor expected = at::group_norm(in_double(x), 2, in_double(weight), in_double(bias), 1e-6);
    const at::Tensor y = ops::group_norm(x, {2, weight, bias, 1e-6});
    EXPECT_LT(largest(in_double(y) - expected), 1e-6 * largest(expected));
}

TEST(NormKernels, DoNotHideWhatIsNotFinite) {
    const at::Tensor one = at::full({4}, 1.0);
    at::Tensor x = normal({1, 4, 3, 3, 3}, 1);
    EXPECT_TRUE(ops::group_norm(x * 1e30, {2, one, one, 1e-6}).isnan().all().item<bool>());
    x.view(-1)[5].fill_(std::nan(""));
    EXPECT_TRUE(ops::group_norm(x, {1, one, one, 1e-6}).isnan().all().item<bool>());
}

}  // namespace
}  // namespace voldiff

// Streamed decoding: every mode gives what forward() gives, in the memory that was predicted.
#include "core/decode/decode_planner.h"
#include "core/error.h"
#include "core/networks/autoencoder_kl.h"
#include "core/ops/conv_policy.h"
#include "core/ops/norm.h"
#include "core/ops/planes/plane_layers.h"
#include "core/ops/planes/store.h"
#include "core/ops/volumes.h"
#include "io/system/system.h"
#include "tests/support/random_weights.h"

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace voldiff {
namespace {

AutoencoderKlConfig config_of(const std::string& target, std::vector<std::int64_t> channels) {
    AutoencoderKlConfig config = AutoencoderKlConfig::of(target);
    config.attention_levels.assign(channels.size(), false);
    config.num_channels = std::move(channels);
    config.latent_channels = 3;
    config.norm_num_groups = 4;
    return config;
}

// Weights that keep the size of what passes through, so that every layer counts.
void fill(Module& module, std::uint64_t seed = 1) {
    fill_randomly(module, seed);
    for (const auto& [key, tensor] : module.named_tensors()) {
        if (tensor->dim() < 2) continue;
        const auto inputs = static_cast<double>(tensor->numel() / tensor->size(0));
        tensor->mul_(1 / (0.3 * std::sqrt(inputs)));
    }
}

at::Tensor latent_of(at::IntArrayRef extents, std::uint64_t seed = 2) {
    auto generator = at::detail::createCPUGenerator(seed);
    return at::randn({1, 3, extents[0], extents[1], extents[2]}, generator);
}

double difference(const at::Tensor& got, const at::Tensor& expected) {
    return (got - expected).abs().max().item<double>() / expected.abs().max().item<double>();
}

// LibTorch's own float64 is the truth; float32 rounds at each of some 20 layers, a few eps (1.2e-7) each, and errors of
// one are carried by the next ones. A wrong plane, border or statistic is off by a thousandth at least.
constexpr double rounding = 2e-5;

at::Tensor exact(const AutoencoderKlConfig& config, const at::Tensor& latent) {
    AutoencoderKl network(config);
    fill(network);
    for (const auto& [key, tensor] : network.named_tensors()) *tensor = tensor->to(at::kDouble);
    return network.decode(latent.to(at::kDouble));
}

void expect_all_modes_exact(const AutoencoderKlConfig& config, at::IntArrayRef extents) {
    const at::Tensor latent = latent_of(extents);
    const at::Tensor expected = exact(config, latent);
    AutoencoderKl network(config);
    fill(network);
    for (const DecodeMode& mode : decode_modes()) {
        const at::Tensor image = network.decode_streamed(latent, mode.plan);
        ASSERT_EQ(image.sizes(), expected.sizes()) << mode.name;
        EXPECT_LT(difference(image.to(at::kDouble), expected), rounding) << mode.name << " " << extents;
    }
}

class StreamedDecode : public testing::TestWithParam<std::vector<std::int64_t>> {};

TEST_P(StreamedDecode, EqualsTheWholeInFloat64) {
    expect_all_modes_exact(config_of("AutoencoderKlMaisi", {8, 16, 32}), GetParam());
}

// Each axis the longest, odd extents, single planes.
INSTANTIATE_TEST_SUITE_P(Extents, StreamedDecode,
                         testing::Values(std::vector<std::int64_t>{4, 4, 4}, std::vector<std::int64_t>{7, 5, 3},
                                         std::vector<std::int64_t>{3, 9, 5}, std::vector<std::int64_t>{5, 3, 11},
                                         std::vector<std::int64_t>{1, 1, 1}, std::vector<std::int64_t>{1, 2, 13},
                                         std::vector<std::int64_t>{13, 12, 10}));

TEST(StreamedDecoders, OfOtherKindsEqualTheWholeToo) {
    AutoencoderKlConfig core = config_of("AutoencoderKL", {8, 12});
    core.attention_levels = {true, true};
    core.with_decoder_nonlocal_attn = true;
    expect_all_modes_exact(core, {3, 5, 6});
    AutoencoderKlConfig transposed = config_of("AutoencoderKlMaisi", {8, 16});
    transposed.use_convtranspose = true;
    transposed.out_channels = 5;
    expect_all_modes_exact(transposed, {4, 7, 5});
    AutoencoderKlConfig core_transposed = config_of("AutoencoderKL", {8, 16, 16, 24});
    core_transposed.use_convtranspose = true;
    core_transposed.num_res_blocks.values = {3, 1, 2, 1};
    core_transposed.num_res_blocks.same_for_all = false;
    expect_all_modes_exact(core_transposed, {2, 3, 4});
    AutoencoderKlConfig four_levels = config_of("AutoencoderKL", {8, 16, 16, 24});
    expect_all_modes_exact(four_levels, {2, 3, 4});
}

TEST(StreamedDecoders, HaveModesThatAgree) {
    AutoencoderKl network(config_of("AutoencoderKlMaisi", {8, 16, 32}));
    fill(network);
    const at::Tensor latent = latent_of({6, 5, 4});
    const at::Tensor expected = network.decode_streamed(latent, {});
    for (const DecodeMode& mode : decode_modes()) {
        // The same sums; only moments are merged in another order, in double.
        EXPECT_LT(difference(network.decode_streamed(latent, mode.plan), expected), 2e-6) << mode.name;
    }
}

// As a decoder of classes keeps nothing but the largest channel.
TEST(StreamedVolumes, AreMappedPlaneByPlane) {
    auto generator = at::detail::createCPUGenerator(5);
    const at::Tensor x = at::randn({1, 6, 4, 5, 3}, generator);
    for (std::int64_t axis = 0; axis < 3; ++axis) {
        ops::PlaneRun run(axis);
        const at::Tensor ones = at::ones({6});
        const ops::Planes lazy = ops::group_norm(ops::from_tensor(run, x), {1, ones, at::zeros({6}), 1e-6});
        const at::Tensor classes = ops::to_mapped_tensor(
            lazy, [](const at::Tensor& plane) { return plane.argmax(1, true).to(at::kByte); }, 1);
        EXPECT_TRUE(at::equal(classes, x.argmax(1, true).to(at::kByte))) << axis;
        EXPECT_LT(difference(ops::to_tensor(lazy), ops::group_norm(x, {1, ones, at::zeros({6}), 1e-6})), 1e-6) << axis;
    }
}

// A plane that is gone is an error of ours, and no wrong image.
TEST(StreamedVolumes, RefuseAPlaneThatIsGone) {
    ops::PlaneRun run(0);
    const at::Tensor ones = at::ones({2});
    const ops::Planes lazy = ops::group_norm(ops::from_tensor(run, at::ones({1, 2, 6, 2, 2})), {1, ones, ones, 1e-6});
    ops::PlaneReader reader(lazy);
    reader.begin(run.new_pass());
    reader.ensure(2);
    EXPECT_NO_THROW(reader.plane(0));
    EXPECT_THROW(reader.plane(2), Error);
    reader.release(2);
    reader.ensure(4);
    EXPECT_THROW(reader.plane(1), Error);
    EXPECT_NO_THROW(reader.plane(2));
}

// A bias of 1000 before the norms: variances computed as mean of squares less square of mean would be noise.
TEST(StreamedDecoders, StatisticsKeepTheirDigitsFarFromZero) {
    const AutoencoderKlConfig config = config_of("AutoencoderKlMaisi", {8, 16});
    const auto shift = [](Module& network) {
        for (const auto& [key, tensor] : network.named_tensors()) {
            if (key.find("conv1") != std::string::npos && key.find("bias") != std::string::npos) tensor->add_(1000);
        }
    };
    const at::Tensor latent = latent_of({5, 6, 4});
    AutoencoderKl truth(config);
    fill(truth);
    shift(truth);
    for (const auto& [key, tensor] : truth.named_tensors()) *tensor = tensor->to(at::kDouble);
    const at::Tensor expected = truth.decode(latent.to(at::kDouble));
    AutoencoderKl network(config);
    fill(network);
    shift(network);
    for (const DecodeMode& mode : decode_modes()) {
        // Values of 1000 + O(1) in float32 have an eps 1000 times as large, relative to what the norm leaves of them.
        EXPECT_LT(difference(network.decode_streamed(latent, mode.plan).to(at::kDouble), expected),
                  1000 * rounding / 10)
            << mode.name;
    }
}

TEST(StreamedDecoders, ProgressEndsAtAllOfIt) {
    if (!ops::for_own_kernels(at::TensorOptions())) GTEST_SKIP() << "LibTorch alone";
    AutoencoderKl network(config_of("AutoencoderKlMaisi", {8, 16}));
    fill(network);
    std::vector<std::size_t> told;
    network.decode_streamed(latent_of({6, 5, 4}), decode_modes().back().plan, [&](std::size_t done, std::size_t all) {
        EXPECT_EQ(all, 100U);
        told.push_back(done);
    });
    EXPECT_EQ(told.front(), 0U);
    EXPECT_EQ(told.back(), 100U);
    EXPECT_EQ(std::adjacent_find(told.begin(), told.end(), std::greater_equal<>()), told.end()) << "always further";
    const auto stop = [](std::size_t, std::size_t) { throw Error(ErrorCode::cancelled, "stop"); };
    EXPECT_THROW(network.decode_streamed(latent_of({6, 5, 4}), {}, stop), Error);
}

// MAISI's decoder: what the modes hold in full resolution, in tensors of 64 channels.
TEST(DecodeCost, FollowsThePlanOfEachMode) {
    if (!ops::for_own_kernels(at::TensorOptions())) GTEST_SKIP() << "LibTorch alone";
    AutoencoderKlConfig config = config_of("AutoencoderKlMaisi", {64, 128, 256});
    config.norm_num_groups = 32;
    const AutoencoderKl network(config);
    const double u = 64.0 * 4 * 256 * 256 * 512;
    const auto tensors = [&](const char* mode) {
        return network.decode_cost({64, 64, 128}, find_decode_mode(mode).plan)->bytes / u;
    };
    // Beside these there are planes in flight, packed weights and the image: less than a quarter.
    EXPECT_GT(tensors("store"), 2.25);
    EXPECT_LT(tensors("store"), 2.5);
    EXPECT_GT(tensors("min"), 1.25);
    EXPECT_LT(tensors("min"), 1.5);
    EXPECT_GT(tensors("multipass"), 0.31);
    EXPECT_LT(tensors("multipass"), 0.56);
    double work = 0;
    for (const DecodeMode& mode : decode_modes()) {
        const double more = network.decode_cost({64, 64, 128}, mode.plan)->work;
        EXPECT_GT(more, work) << mode.name;
        work = more;
    }
}

TEST(DecodeCost, StreamsAlongTheLongestAxis) {
    const AutoencoderKl network(config_of("AutoencoderKlMaisi", {8, 16}));
    const StreamPlan& plan = find_decode_mode("min").plan;
    const double bytes = network.decode_cost({32, 8, 8}, plan)->bytes;
    EXPECT_EQ(network.decode_cost({8, 32, 8}, plan)->bytes, bytes);
    EXPECT_EQ(network.decode_cost({8, 8, 32}, plan)->bytes, bytes);
}

TEST(DecodeCost, IsWhatIsMeasured) {
    if (!ops::for_own_kernels(at::TensorOptions())) GTEST_SKIP() << "LibTorch alone";
    if (!reset_peak_memory()) GTEST_SKIP() << "the system does not measure peaks";
    AutoencoderKlConfig config = config_of("AutoencoderKlMaisi", {32, 64});
    AutoencoderKl network(config);
    fill(network);
    const at::Tensor latent = latent_of({40, 32, 32});
    double larger = 1e18;
    for (const char* mode : {"store", "min"}) {
        const StreamPlan& plan = find_decode_mode(mode).plan;
        network.decode_streamed(latent, plan);  // takes what is kept, by the kernels and by the libraries
        reset_peak_memory();
        const auto before = static_cast<double>(resident_memory());
        network.decode_streamed(latent, plan);
        const DecodeCost cost = *network.decode_cost({40, 32, 32}, plan);
        const double measured = static_cast<double>(peak_memory()) - before + cost.kept_bytes;
        EXPECT_NEAR(cost.bytes / measured, 1, 0.1) << mode;
        EXPECT_LT(measured, larger) << mode;
        larger = measured;
    }
}

class Planner : public testing::Test {
  protected:
    void SetUp() override {
        if (!ops::for_own_kernels(at::TensorOptions())) GTEST_SKIP() << "LibTorch alone knows one mode";
    }
    double bytes(const std::string& method, const std::string& mode) {
        return predict_decode(network, latent, {method, roi, 0.4, mode}).bytes;
    }
    DecodeChoice choice(const std::string& method, const std::string& mode, double available) {
        return choose_decode({method, roi, 0.4, mode}, network, latent, available);
    }

    AutoencoderKl network{config_of("AutoencoderKlMaisi", {32, 64, 64})};
    Extents latent{40, 40, 40};
    Extents roi{16, 16, 16};
};

TEST_F(Planner, TakesTheFastestThatFits) {
    for (const DecodeMode& mode : decode_modes()) {
        const DecodeChoice made = choice("auto", "auto", 1.001 * bytes("whole", mode.name));
        EXPECT_EQ(made.options.method, "whole");
        EXPECT_EQ(made.options.mode, mode.name);
        EXPECT_EQ(made.prediction.bytes, bytes("whole", mode.name));
    }
    EXPECT_EQ(choice("whole", "min", 1e12).options.mode, "min");
    EXPECT_EQ(choice("sliding_window", "auto", 1e12).options.mode, "store");
}

TEST_F(Planner, SaysWhatItTookAndWhy) {
    EXPECT_EQ(choice("auto", "auto", 1e12).reason.find("store ("), 0U);
    const std::string reason = choice("auto", "auto", 1.001 * bytes("whole", "min")).reason;
    EXPECT_EQ(reason.find("min ("), 0U) << reason;
    EXPECT_NE(reason.find("for store is more than"), std::string::npos) << reason;
}

TEST_F(Planner, TakesWindowsOnlyWhereNothingElseFits) {
    ASSERT_LT(bytes("sliding_window", "multipass"), bytes("whole", "multipass"));
    const DecodeChoice made = choice("auto", "auto", 1.001 * bytes("sliding_window", "multipass"));
    EXPECT_EQ(made.options.method, "sliding_window");
    try {
        choice("whole", "auto", 1e6);
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::memory);
        EXPECT_NE(std::string(error.what()).find("runtime.memory_limit"), std::string::npos);
    }
}

TEST_F(Planner, KnowsOneModeWithoutOwnKernels) {
    ops::use_own_kernels(false);
    const DecodeChoice made = choice("auto", "auto", 1e12);
    EXPECT_EQ(made.options.mode, "store");
    EXPECT_THROW(choice("whole", "min", 1e12), Error);
    ops::use_own_kernels(true);
    EXPECT_GT(made.prediction.bytes, bytes("whole", "store"));
}

}  // namespace
}  // namespace voldiff

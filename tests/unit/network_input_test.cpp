// What a network or block is given that does not fit it ends in a message, not in LibTorch's own.
#include "core/blocks/attention_layer.h"
#include "core/blocks/autoencoder_blocks.h"
#include "core/networks/controlnet.h"
#include "core/networks/diffusion_unet.h"
#include "tests/config_helpers.h"
#include "tests/support/random_weights.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>

namespace voldiff {
namespace {

void fill(Module& module) {
    for (const auto& item : module.named_tensors()) *item.second = at::full(item.second->sizes(), 0.1);
}

const at::Tensor& time_of_one() {
    static const at::Tensor time = at::full({1}, 3.0);
    return time;
}

std::string unet_refusal(const DiffusionUnetConfig& config, at::IntArrayRef x, const UnetConditions& conditions,
                         const at::Tensor& timesteps = time_of_one()) {
    DiffusionUnet network(config);
    fill(network);
    return message_of(ErrorCode::config, [&] { network.forward(at::ones(x), timesteps, conditions); });
}

}  // namespace

TEST(UnetInput, HasTheChannelsAndAxesOfTheNetwork) {
    const auto config = small_trunk<DiffusionUnetConfig>();
    expect_contains(unet_refusal(config, {1, 3, 4, 4, 4}, {}), "[1, 3, 4, 4, 4], expected [N, 2, D, H, W]");
    expect_contains(unet_refusal(config, {1, 2, 4, 4}, {}), "[1, 2, 4, 4], expected [N, 2, D, H, W]");
    expect_contains(unet_refusal(config, {1, 2, 5, 4, 4}, {}), "must be multiples of");
    expect_contains(unet_refusal(config, {1, 2, 4, 4, 4}, {}, at::full({1, 1}, 3.0)), "timesteps have 2 axes");
}

TEST(UnetInput, HasTheConditionsOfTheNetwork) {
    auto config = small_trunk<DiffusionUnetConfig>();
    config.include_spacing_input = true;
    UnetConditions conditions;
    expect_contains(unet_refusal(config, {1, 2, 4, 4, 4}, conditions), "takes spacing_tensor, but none is given");
    conditions.spacing_tensor = at::ones({1, 4});
    expect_contains(unet_refusal(config, {1, 2, 4, 4, 4}, conditions), "spacing_tensor is [1, 4], expected [N, 3]");
    conditions.spacing_tensor = at::ones({1, 3});
    conditions.context = at::ones({1, 1, 10});
    expect_contains(unet_refusal(config, {1, 2, 4, 4, 4}, conditions), "with_conditioning: false");
}

TEST(UnetInput, HasAContextOfTheNetworksWidth) {
    auto config = small_trunk<DiffusionUnetConfig>();
    config.with_conditioning = true;
    config.cross_attention_dim = 10;
    UnetConditions conditions;
    expect_contains(unet_refusal(config, {1, 2, 4, 4, 4}, conditions), "no context is given");
    conditions.context = at::ones({1, 1, 9});
    expect_contains(unet_refusal(config, {1, 2, 4, 4, 4}, conditions), "[1, 1, 9], expected [N, tokens, 10]");
    conditions.context = at::ones({1, 10});
    expect_contains(unet_refusal(config, {1, 2, 4, 4, 4}, conditions), "[1, 10], expected [N, tokens, 10]");
}

ControlNetConfig small_controlnet() {
    auto config = small_trunk<ControlNetConfig>();
    config.conditioning_embedding_in_channels = 3;
    config.conditioning_embedding_num_channels = {4, 6};
    return config;
}

TEST(ControlNetInput, FitsTheNetwork) {
    ControlNet network(small_controlnet());
    fill(network);
    const auto refusal = [&](at::IntArrayRef x, at::IntArrayRef cond) {
        ControlNetConditions conditions;
        conditions.controlnet_cond = at::ones(cond);
        return message_of(ErrorCode::config, [&] { network.forward(at::ones(x), time_of_one(), conditions); });
    };
    expect_contains(refusal({1, 4, 4, 4, 4}, {1, 3, 8, 8, 8}), "[1, 4, 4, 4, 4], expected [N, 2, D, H, W]");
    expect_contains(refusal({1, 2, 4, 4, 4}, {1, 2, 8, 8, 8}), "[1, 2, 8, 8, 8], expected [N, 3, D, H, W]");
    expect_contains(refusal({1, 2, 4, 4, 4}, {1, 3, 4, 4, 4}), "becomes [2, 2, 2], expected the latent's [4, 4, 4]");
}

TEST(ControlNetInput, MayBeEmbeddedBefore) {
    ControlNet network(small_controlnet());
    fill(network);
    ControlNetConditions whole, embedded;
    whole.controlnet_cond = at::arange(3 * 512, at::kFloat).view({1, 3, 8, 8, 8}) / 1000;
    embedded.embedding = network.embed(whole.controlnet_cond);
    const at::Tensor x = at::ones({1, 2, 4, 4, 4});
    const UnetResiduals expected = network.forward(x, time_of_one(), whole);
    const UnetResiduals residuals = network.forward(x, time_of_one(), embedded);
    EXPECT_TRUE(at::equal(residuals.mid, expected.mid));
    ASSERT_EQ(residuals.down.size(), expected.down.size());
    for (std::size_t i = 0; i < expected.down.size(); ++i) EXPECT_TRUE(at::equal(residuals.down[i], expected.down[i]));
    EXPECT_FALSE(at::equal(residuals.mid, network.forward(x * 2, time_of_one(), embedded).mid));
}

TEST(CrossAttentionInput, HasTheContextsWidth) {
    CrossAttentionBlockConfig config;
    config.hidden_size = 8;
    config.num_heads = 2;
    config.context_input_size = 5;
    CrossAttentionBlock block(config);
    fill(block);
    expect_contains(message_of(ErrorCode::config,
                               [&] {
                                   block.forward(at::ones({1, 3, 8}), at::ones({1, 2, 4}));
                               }),
                    "the context has a width of 4, expected 5");
    EXPECT_EQ(block.forward(at::ones({1, 3, 8}), at::ones({1, 2, 5})).sizes(), (at::IntArrayRef{1, 3, 8}));
}

TEST(MaisiGroupNorm, TakesFiveAxes) {
    AutoencoderKlConfig config;
    config.norm_num_groups = 2;
    const auto norm = make_autoencoder_norm(config, 4);
    fill(*norm);
    expect_contains(message_of(ErrorCode::config,
                               [&] {
                                   norm->forward(at::ones({2, 4, 3, 3}));
                               }),
                    "[2, 4, 3, 3], expected [N, C, D, H, W]");
    message_of(ErrorCode::config, [&] { norm->forward_silu(at::ones({2, 4, 3, 3})); });
}

// The config files of MAISI say norm_float16; what voldiff computes does not follow it.
TEST(MaisiGroupNorm, RoundsToFloat16OnlyWhereHintsAct) {
    AutoencoderKlConfig config;
    config.norm_num_groups = 2;
    const at::Tensor x = at::randn({1, 4, 3, 4, 5});
    const auto output = [&] {
        const auto norm = make_autoencoder_norm(config, 4);
        fill(*norm);
        return norm->forward(x);
    };
    const at::Tensor plain = output();
    config.norm_float16 = true;
    EXPECT_TRUE(at::equal(output(), plain));
    config.hints_act = true;
    const at::Tensor rounded = output();
    EXPECT_EQ(rounded.scalar_type(), at::kHalf);
    // The normalised values stay below sqrt(30), as few as they are: half a unit there is 2^-9, times the weight 0.1;
    // product and sum stay below 1, half a unit 2^-12 each.
    const auto difference = (rounded.to(at::kFloat) - plain).abs().max().item<double>();
    EXPECT_GT(difference, 0);
    EXPECT_LT(difference, 0.1 / 512 + 2.0 / 4096 + 1e-6);
}

}  // namespace voldiff

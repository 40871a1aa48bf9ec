// Conversions of checkpoints: the way back gives every bit again, and a choice that is needed is asked for.
#include "core/state_dict/convert.h"
#include "core/error.h"
#include "core/networks/autoencoder_kl.h"
#include "core/networks/controlnet.h"
#include "core/networks/diffusion_unet.h"
#include "io/checkpoint/checkpoint.h"
#include "tests/support/random_weights.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace voldiff {
namespace {

DiffusionUnetConfig unet_config(bool conditioned) {
    DiffusionUnetConfig config = small_unet_config();
    config.include_fc = true;
    config.with_conditioning = conditioned;
    if (conditioned) config.cross_attention_dim = 3;
    return config;
}

StateDict unet_weights(bool conditioned) {
    const DiffusionUnet network(unet_config(conditioned));
    fill_randomly(network, 3);
    return state_dict_of(network);
}

ConvertOptions to_layout(const std::string& layout, ProjectionForm projection = ProjectionForm::unsaid) {
    ConvertOptions options;
    options.layout = layout;
    options.projection = projection;
    return options;
}

void expect_same(const StateDict& a, const StateDict& b) {
    ASSERT_EQ(a.size(), b.size());
    for (const auto& item : a) {
        ASSERT_TRUE(b.contains(item.key())) << item.key();
        EXPECT_TRUE(item.value().equal(b[item.key()])) << item.key();
    }
}

Conversion convert(const StateDict& weights, const ConvertOptions& options) {
    return convert_state_dict(weights, nullptr, unet_layouts(), options);
}

std::string refusal(const StateDict& weights, const ConvertOptions& options) {
    try {
        convert(weights, options);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::weights);
        return error.what();
    }
    return {};
}

TEST(Convert, FusingAndSplittingGivesEveryBitBack) {
    const StateDict separate = unet_weights(false);
    ConvertOptions options;
    options.qkv = QkvForm::fused;
    const Conversion fused = convert(separate, options);
    EXPECT_TRUE(fused.lossless);
    EXPECT_LT(fused.weights.size(), separate.size());
    options.qkv = QkvForm::separate;
    expect_same(convert(fused.weights, options).weights, separate);
}

TEST(Convert, TransformersGoToGenerativeAndBackWithoutAChoice) {
    const StateDict native = unet_weights(true);
    const Conversion old = convert(native, to_layout("generative"));
    EXPECT_TRUE(old.lossless);
    EXPECT_TRUE(old.weights.contains("middle_block.attention.transformer_blocks.0.attn2.to_out.0.weight"));
    const Conversion back = convert(old.weights, to_layout("monai-1.5"));
    EXPECT_EQ(back.from, "generative");
    expect_same(back.weights, native);
}

TEST(Convert, AProjectionThatOneLayoutNeverAppliesNeedsAChoice) {
    const StateDict native = unet_weights(false);
    const std::string message = refusal(native, to_layout("generative"));
    for (const char* flag : {"--drop-proj", "--identity-proj", "--keep-proj"}) {
        EXPECT_NE(message.find(flag), std::string::npos) << message;
    }
    const Conversion old = convert(native, to_layout("generative", ProjectionForm::keep));
    EXPECT_FALSE(old.lossless);
    EXPECT_TRUE(old.changes.front().suspicious);
    EXPECT_NE(refusal(old.weights, to_layout("monai-1.5")), "");
    expect_same(convert(old.weights, to_layout("monai-1.5", ProjectionForm::keep)).weights, native);
}

TEST(Convert, AMissingProjectionIsPutInOnlyWhenAskedFor) {
    const StateDict with = unet_weights(false);
    ConvertOptions drop;
    drop.projection = ProjectionForm::drop;
    const Conversion without = convert(with, drop);
    EXPECT_FALSE(without.lossless);
    EXPECT_NE(refusal(without.weights, to_layout("generative")).find("--identity-proj"), std::string::npos);
    const Conversion old = convert(without.weights, to_layout("generative", ProjectionForm::identity));
    EXPECT_TRUE(old.lossless);
    const at::Tensor& projection = old.weights["middle_block.attention.proj_attn.weight"];
    EXPECT_TRUE(projection.equal(at::eye(8)));
    EXPECT_TRUE(convert(old.weights, to_layout("monai-1.5", ProjectionForm::drop)).weights.size() ==
                without.weights.size());
}

TEST(Convert, CrossAttentionKeepsItsProjection) {
    ConvertOptions drop;
    drop.projection = ProjectionForm::drop;
    const Conversion dropped = convert(unet_weights(true), drop);
    EXPECT_FALSE(dropped.weights.contains("middle_block.attention.transformer_blocks.0.attn1.out_proj.weight"));
    EXPECT_TRUE(dropped.weights.contains("middle_block.attention.transformer_blocks.0.attn2.out_proj.weight"));
}

TEST(Convert, ATypeIsLosslessOnlyWhereItRoundsNothing) {
    StateDict weights = unet_weights(false);
    ConvertOptions half;
    half.type = at::kHalf;
    const Conversion rounded = convert(weights, half);
    EXPECT_FALSE(rounded.lossless);
    ConvertOptions full;
    full.type = at::kFloat;
    const Conversion back = convert(rounded.weights, full);
    EXPECT_TRUE(back.lossless);
    EXPECT_EQ(back.weights[0].value().scalar_type(), at::kFloat);
    for (const auto& item : back.weights) {
        EXPECT_TRUE(item.value().to(at::kHalf).equal(weights[item.key()].to(at::kHalf)));
    }
}

TEST(Convert, MixedLayoutsAreRefused) {
    StateDict weights = unet_weights(false);
    weights.insert("middle_block.attention.to_q.weight", at::zeros({8, 8}));
    EXPECT_NE(refusal(weights, {}).find("mixes two layouts"), std::string::npos);
}

TEST(Convert, AnAutoencodersLayoutNeedsTheNetwork) {
    AutoencoderKlConfig config = AutoencoderKlConfig::of("AutoencoderKlMaisi");
    config.num_channels = {4, 4};
    config.num_res_blocks = PerLevel(1);
    config.attention_levels = {false, true};
    config.norm_num_groups = 2;
    config.use_convtranspose = true;
    config.with_decoder_nonlocal_attn = true;
    const AutoencoderKl network(config);
    fill_randomly(network, 5);
    const StateDict native = state_dict_of(network);
    try {
        convert_state_dict(native, nullptr, {native_layout()}, to_layout("generative"));
        FAIL() << "converted without the network";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("--network"), std::string::npos);
    }
    const auto options = to_layout("generative", ProjectionForm::identity);
    const Conversion old = convert_state_dict(native, &network, network.layouts(), options);
    EXPECT_TRUE(old.weights.contains("encoder.blocks.0.conv.weight"));
    EXPECT_TRUE(old.weights.contains("decoder.blocks.2.proj_attn.weight"));
    const Conversion back =
        convert_state_dict(old.weights, &network, network.layouts(), to_layout("monai-1.5", ProjectionForm::drop));
    expect_same(back.weights, native);
}

TEST(Convert, TellsWhatTheNamesSay) {
    EXPECT_EQ(key_form_of(unet_weights(false)).separate, 4U);
    const Conversion old = convert(unet_weights(false), to_layout("generative", ProjectionForm::keep));
    const KeyForm form = key_form_of(old.weights);
    EXPECT_EQ(form.layout, "generative");
    EXPECT_EQ(form.projections, 4U);
}

class CheckpointFiles : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("voldiff_convert_" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
        original_.weights = unet_weights(false);
        original_.weights_at = "unet_state_dict";
        original_.extra_numbers = {{"epoch", 12}, {"loss", 0.25}, {"num_train_timesteps", 1000}};
        original_.extra_tensors.insert("scale_factor", at::scalar_tensor(1.0315, at::kFloat));
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    Checkpoint through(const std::string& name, const Checkpoint& checkpoint) {
        write_checkpoint(folder_ / name, checkpoint);
        return read_checkpoint(folder_ / name);
    }

    std::filesystem::path folder_;
    Checkpoint original_;
};

TEST_F(CheckpointFiles, PtAndSafetensorsGiveEveryBitBack) {
    const Checkpoint pt = through("a.pt", original_);
    expect_same(pt.weights, original_.weights);
    EXPECT_EQ(pt.weights_at, "unet_state_dict");
    EXPECT_EQ(pt.extra_numbers.at("epoch"), 12);
    EXPECT_EQ(pt.extra_tensors["loss"].item<double>(), 0.25);
    EXPECT_TRUE(pt.extra_tensors["scale_factor"].equal(original_.extra_tensors["scale_factor"]));
    const Checkpoint st = through("b.safetensors", pt);
    expect_same(st.weights, original_.weights);
    EXPECT_EQ(std::stof(st.metadata.at("scale_factor")), 1.0315F);
    const Checkpoint again = through("c.pt", st);
    expect_same(again.weights, original_.weights);
    EXPECT_EQ(again.extra_tensors["scale_factor"].to(at::kFloat).item<float>(), 1.0315F);
}

TEST_F(CheckpointFiles, EveryTypeAndShapeSurvives) {
    Checkpoint checkpoint;
    for (const auto type :
         {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kByte, at::kBool}) {
        checkpoint.weights.insert(c10::toString(type), at::ones({2, 3}, type));
    }
    checkpoint.weights.insert("scalar", at::scalar_tensor(3.5));
    checkpoint.weights.insert("empty", at::zeros({0, 4}));
    checkpoint.weights.insert("transposed", at::randn({3, 5}).t());
    for (const char* name : {"types.pt", "types.safetensors"})
        expect_same(through(name, checkpoint).weights, checkpoint.weights);
}

TEST_F(CheckpointFiles, WeightsAloneAreAPlainStateDict) {
    Checkpoint plain;
    plain.weights = original_.weights;
    EXPECT_EQ(through("plain.pt", plain).weights_at, "");
}

TEST_F(CheckpointFiles, AnUnknownExtensionIsRefused) {
    EXPECT_THROW(write_checkpoint(folder_ / "a.onnx", original_), Error);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "a.onnx"));
}

TEST_F(CheckpointFiles, WhatHasNoPlaceInSafetensorsIsNamed) {
    original_.extra_tensors.insert("history", at::ones({5}));
    EXPECT_EQ(write_checkpoint(folder_ / "x.safetensors", original_), (std::vector<std::string>{"history"}));
}

}  // namespace
}  // namespace voldiff

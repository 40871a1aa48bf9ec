// Attention options of a network, and of single blocks of it.
#include "core/error.h"
#include "core/networks/autoencoder_kl.h"
#include "core/networks/diffusion_unet.h"
#include "io/config/reader.h"
#include "io/config/yaml.h"

#include <gtest/gtest.h>

namespace voldiff {
namespace {

DiffusionUnetConfig read_unet(const std::string& attention) {
    DiffusionUnetConfig config = DiffusionUnetConfig::of("DiffusionModelUNetMaisi");
    Problems problems;
    read_options(config,
                 parse_yaml("{in_channels: 2, out_channels: 2, num_channels: [4, 8, 8], num_res_blocks: 1, "
                            "attention_levels: [false, true, true], num_head_channels: 4, norm_num_groups: 2, "
                            "attention: " +
                                attention + "}",
                            "x.yaml"),
                 "", {&problems, nullptr, {}});
    problems.throw_if_any();
    return config;
}

std::string error_of(const std::string& attention) {
    try {
        const DiffusionUnet network(read_unet(attention));
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config);
        return error.what();
    }
    return {};
}

bool has_key(const Module& module, const std::string& wanted) {
    for (const auto& [key, tensor] : module.named_tensors()) {
        if (key == wanted) return true;
    }
    return false;
}

TEST(AttentionPlan, APatternChangesItsBlocksAndNoOther) {
    const DiffusionUnet network(read_unet(R"({"down_blocks.2.*": {include_fc: true}})"));
    for (const AttentionBlockRecord& block : network.attention_blocks()) {
        const bool named = block.path.rfind("down_blocks.2.", 0) == 0;
        EXPECT_EQ(block.options.include_fc, named) << block.path;
        EXPECT_EQ(has_key(network, block.path + ".attn.out_proj.weight"), named) << block.path;
    }
    EXPECT_EQ(network.attention_blocks().size(), 2U + 1U + 4U);
}

TEST(AttentionPlan, LaterPatternsWinOptionByOption) {
    const DiffusionUnet network(read_unet(
        R"({"*": {use_combined_linear: true, include_fc: true}, "middle_block.attention": {use_proj_attn: false}})"));
    EXPECT_TRUE(has_key(network, "middle_block.attention.attn.qkv.weight"));
    EXPECT_FALSE(has_key(network, "middle_block.attention.attn.out_proj.weight"));
    EXPECT_TRUE(has_key(network, "up_blocks.0.attentions.1.attn.out_proj.weight"));
}

TEST(AttentionPlan, APatternThatNamesNoBlockIsRefusedWithTheBlocks) {
    const std::string message = error_of(R"({"down_blocks.7.*": {include_fc: true}})");
    EXPECT_NE(message.find("'down_blocks.7.*', which names no attention block"), std::string::npos) << message;
    EXPECT_NE(message.find("middle_block.attention"), std::string::npos) << message;
}

TEST(AttentionPlan, OptionsOfAPatternAreCheckedAsAnyOthers) {
    EXPECT_NE(error_of(R"({"*": {include_fcc: true}})").find("did you mean 'attention.*.include_fc'?"),
              std::string::npos);
    EXPECT_NE(error_of(R"({"*": {include_fc: 3}})").find("'attention.*.include_fc'"), std::string::npos);
    EXPECT_NE(error_of("[1]").find("'attention' is"), std::string::npos);
    EXPECT_NE(error_of(R"({"*": {attention_dtype: float8}})").find("unknown attention_dtype 'float8'"),
              std::string::npos);
}

TEST(AttentionPlan, TheAutoencodersBlocksAreNamedByTheirKeys) {
    AutoencoderKlConfig config = AutoencoderKlConfig::of("AutoencoderKlMaisi");
    config.num_channels = {4, 4};
    config.num_res_blocks = PerLevel(1);
    config.attention_levels = {false, true};
    config.norm_num_groups = 2;
    config.with_decoder_nonlocal_attn = true;
    config.attention.items.emplace_back("decoder.*", AttentionOverride());
    config.attention.items.back().second.include_fc = true;
    const AutoencoderKl network(config);
    EXPECT_EQ(network.attention_blocks().size(), 3U);
    for (const AttentionBlockRecord& block : network.attention_blocks()) {
        EXPECT_TRUE(has_key(network, block.path + ".attn.to_q.weight")) << block.path;
        EXPECT_EQ(has_key(network, block.path + ".attn.out_proj.weight"), block.path.rfind("decoder", 0) == 0);
    }
}

}  // namespace
}  // namespace voldiff

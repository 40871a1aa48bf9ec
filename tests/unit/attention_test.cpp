// Attention blocks: options, keys, and what the reference data has no case for.
#include "core/blocks/attention_layer.h"
#include "core/blocks/sa_block.h"
#include "core/error.h"

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>

#include <map>
#include <set>

namespace voldiff {
namespace {

std::set<std::string> keys_of(const Module& module) {
    std::set<std::string> keys;
    for (const auto& [key, tensor] : module.named_tensors()) keys.insert(key);
    return keys;
}

void fill(Module& module, int seed = 0) {
    auto generator = at::detail::createCPUGenerator(static_cast<std::uint64_t>(seed));
    for (const auto& [key, tensor] : module.named_tensors()) {
        if (key != "causal_mask") tensor->copy_(at::randn(tensor->sizes(), generator) * 0.3);
    }
}

SABlockConfig small_block() {
    SABlockConfig config;
    config.hidden_size = 12;
    config.num_heads = 3;
    return config;
}

std::string refusal(const SABlockConfig& config) {
    try {
        SABlock block(config);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config);
        return error.what();
    }
    return {};
}

TEST(SABlock, HasMonaiKeysForEveryLayout) {
    SABlockConfig config = small_block();
    EXPECT_EQ(keys_of(SABlock(config)), (std::set<std::string>{"out_proj.weight", "out_proj.bias", "qkv.weight"}));
    config.include_fc = false;
    config.qkv_bias = true;
    EXPECT_EQ(keys_of(SABlock(config)), (std::set<std::string>{"qkv.weight", "qkv.bias"}));
    config.use_combined_linear = false;
    config.causal = true;
    config.sequence_length = 4;
    EXPECT_EQ(keys_of(SABlock(config)), (std::set<std::string>{"to_q.weight", "to_q.bias", "to_k.weight", "to_k.bias",
                                                               "to_v.weight", "to_v.bias", "causal_mask"}));
}

TEST(SABlock, RefusesWhatMonaiRefuses) {
    SABlockConfig config = small_block();
    config.num_heads = 5;
    EXPECT_NE(refusal(config).find("not divisible by num_heads 5"), std::string::npos);
    config = small_block();
    config.causal = true;
    EXPECT_NE(refusal(config).find("sequence_length"), std::string::npos);
    config = small_block();
    config.use_flash_attention = config.save_attn = true;
    EXPECT_NE(refusal(config).find("save_attn"), std::string::npos);
    config = small_block();
    config.dropout_rate = 1.5;
    EXPECT_NE(refusal(config).find("dropout_rate"), std::string::npos);
    config = small_block();
    config.attention_dtype = "float8";
    EXPECT_NE(refusal(config).find("float8"), std::string::npos);
}

TEST(SABlock, RefusesSequencesThatDoNotFit) {
    SABlockConfig config = small_block();
    config.causal = true;
    config.sequence_length = 3;
    SABlock block(config);
    fill(block);
    EXPECT_THROW(block.forward(at::ones({1, 4, 12})), Error);
    EXPECT_THROW(block.forward(at::ones({1, 3, 12}), at::ones({1, 3})), Error);
}

TEST(SABlock, FlashAttentionIsTheSameFunctionOnACpu) {
    SABlockConfig config = small_block();
    SABlock plain(config);
    config.use_flash_attention = true;
    SABlock flash(config);
    fill(plain, 4);
    fill(flash, 4);
    const at::Tensor x = at::randn({2, 7, 12}, at::detail::createCPUGenerator(1));
    EXPECT_TRUE(at::allclose(plain.forward(x), flash.forward(x), 1e-5, 1e-6));
}

// add_decomposed_rel_pos of MONAI, term by term.
TEST(SABlock, AddsTheDecomposedRelativePosition) {
    SABlockConfig config = small_block();
    config.rel_pos_embedding = "decomposed";
    config.input_size = {2, 3};
    config.save_attn = true;
    SABlock block(config);
    EXPECT_EQ(keys_of(block).count("rel_positional_embedding.rel_pos_arr.1"), 1U);
    fill(block, 2);
    const at::Tensor x = at::randn({1, 6, 12}, at::detail::createCPUGenerator(1));
    block.forward(x);

    std::map<std::string, at::Tensor> parameters;
    for (const auto& [key, tensor] : block.named_tensors()) parameters[key] = *tensor;
    const at::Tensor qkv = at::matmul(x[0], parameters["qkv.weight"].t());
    const at::Tensor rel_h = parameters["rel_positional_embedding.rel_pos_arr.0"];
    const at::Tensor rel_w = parameters["rel_positional_embedding.rel_pos_arr.1"];
    for (std::int64_t head = 0; head < 3; ++head) {
        const at::Tensor q = qkv.slice(1, 4 * head, 4 * head + 4);
        const at::Tensor k = qkv.slice(1, 12 + 4 * head, 12 + 4 * head + 4);
        at::Tensor scores = at::matmul(q, k.t()) * 0.5;
        for (std::int64_t i = 0; i < 6; ++i) {
            for (std::int64_t j = 0; j < 6; ++j) {
                scores[i][j] += at::dot(q[i], rel_h[i / 3 - j / 3 + 1]) + at::dot(q[i], rel_w[i % 3 - j % 3 + 2]);
            }
        }
        EXPECT_TRUE(at::allclose(block.att_mat()[0][head], at::softmax(scores, -1), 1e-5, 1e-6));
    }
}

TEST(SABlock, RelativePositionNeedsTheSequenceOfItsExtents) {
    SABlockConfig config = small_block();
    config.rel_pos_embedding = "decomposed";
    config.input_size = {2, 3};
    SABlock block(config);
    fill(block);
    EXPECT_THROW(block.forward(at::ones({1, 5, 12})), Error);
}

TEST(SpatialAttentionBlock, RefusesHeadsThatDoNotDivideTheChannels) {
    SpatialAttentionBlockConfig config;
    config.num_channels = 12;
    config.num_head_channels = 5;
    config.norm_num_groups = 4;
    EXPECT_THROW(SpatialAttentionBlock{config}, Error);
    config.num_head_channels = 4;
    config.norm_num_groups = 5;
    EXPECT_THROW(SpatialAttentionBlock{config}, Error);
}

}  // namespace
}  // namespace voldiff

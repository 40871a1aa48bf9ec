// Loading is strict, and says everything at once.
#include "core/blocks/attention_layer.h"
#include "core/error.h"
#include "core/state_dict/load.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/ones.h>

namespace voldiff {
namespace {

std::unique_ptr<SpatialAttentionBlock> make_block(bool include_fc) {
    SpatialAttentionBlockConfig config;
    config.num_channels = 8;
    config.norm_num_groups = 2;
    config.include_fc = include_fc;
    return std::make_unique<SpatialAttentionBlock>(config);
}

at::Tensor tensor_of(const Module& module, const std::string& wanted) {
    for (const auto& [key, tensor] : module.named_tensors()) {
        if (key == wanted) return *tensor;
    }
    return {};
}

StateDict weights_of(const Module& module, const std::string& prefix = "") {
    StateDict weights;
    for (const auto& [key, tensor] : module.named_tensors()) weights.insert(prefix + key, at::full_like(*tensor, 2.0));
    return weights;
}

std::string failure(Module& network, const StateDict& weights, const AdaptOptions& options = {}) {
    try {
        load_state_dict(network, weights, {}, options);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::weights);
        return error.what();
    }
    return {};
}

TEST(LoadStateDict, TakesTensorsOverWithoutACopy) {
    auto block = make_block(true);
    const StateDict weights = weights_of(*block);
    EXPECT_TRUE(load_state_dict(*block, weights).empty());
    EXPECT_EQ(tensor_of(*block, "norm.weight").data_ptr(), weights["norm.weight"].data_ptr());
}

TEST(LoadStateDict, ConvertsToTheTypeOfTheNetwork) {
    auto block = make_block(true);
    StateDict weights;
    for (const auto& item : weights_of(*block)) weights.insert(item.key(), item.value().to(at::kHalf));
    load_state_dict(*block, weights);
    EXPECT_EQ(tensor_of(*block, "norm.weight").scalar_type(), at::kFloat);
    EXPECT_EQ(tensor_of(*block, "norm.weight")[0].item<float>(), 2.0F);
}

TEST(LoadStateDict, TakesWrappingPrefixesOffAndSaysSo) {
    for (const std::string prefix : {"module.", "_orig_mod.", "module._orig_mod.", "ae.", "module.u."}) {
        auto block = make_block(true);
        const auto changes = load_state_dict(*block, weights_of(*block, prefix));
        ASSERT_EQ(changes.size(), 1U) << prefix;
        EXPECT_EQ(changes[0].what, "names: '" + prefix + "' taken off");
        EXPECT_EQ(changes[0].names.size(), block->named_tensors().size());
        EXPECT_FALSE(changes[0].suspicious);
    }
}

TEST(LoadStateDict, APartOfTheNetworkIsNoPrefix) {
    auto block = make_block(true);
    StateDict only_attention;
    for (const auto& item : weights_of(*block)) {
        if (item.key().find("attn.") == 0) only_attention.insert(item.key(), item.value());
    }
    EXPECT_NE(failure(*block, only_attention).find("2 missing (norm.weight, norm.bias)"), std::string::npos);
}

TEST(LoadStateDict, ReportsAllDifferencesTogether) {
    auto block = make_block(true);
    StateDict weights = weights_of(*block);
    StateDict changed;
    for (const auto& item : weights) {
        if (item.key() == "norm.bias") continue;
        changed.insert(item.key(), item.key() == "attn.to_q.bias" ? at::ones({7}) : item.value());
    }
    changed.insert("extra.weight", at::ones({1}));
    const std::string message = failure(*block, changed);
    EXPECT_NE(message.find("1 missing (norm.bias)"), std::string::npos) << message;
    EXPECT_NE(message.find("1 unexpected (extra.weight)"), std::string::npos) << message;
    EXPECT_NE(message.find("1 of another shape (attn.to_q.bias [7] instead of [8])"), std::string::npos) << message;
}

TEST(LoadStateDict, LeavesTheNetworkAloneWhenItFails) {
    auto block = make_block(true);
    const void* before = tensor_of(*block, "norm.weight").data_ptr();
    StateDict weights = weights_of(*block);
    weights.insert("extra", at::ones({1}));
    EXPECT_NE(failure(*block, weights), "");
    EXPECT_EQ(tensor_of(*block, "norm.weight").data_ptr(), before);
}

TEST(LoadStateDict, AnUnusedProjectionIsAWarningThatNamesTheChoice) {
    auto with = make_block(true);
    auto without = make_block(false);
    const auto changes = load_state_dict(*without, weights_of(*with));
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_TRUE(changes[0].suspicious);
    EXPECT_EQ(changes[0].names, (std::vector<std::string>{"attn.out_proj.bias", "attn.out_proj.weight"}));
    EXPECT_NE(changes[0].what.find("MAISI's released weights want include_fc as in their network file"),
              std::string::npos);
}

TEST(LoadStateDict, AProjectionOfNoAttentionBlockIsUnexpected) {
    auto block = make_block(false);
    StateDict weights = weights_of(*block);
    weights.insert("other.out_proj.weight", at::ones({8, 8}));
    EXPECT_NE(failure(*block, weights).find("unexpected (other.out_proj.weight)"), std::string::npos);
}

TEST(LoadStateDict, AMissingProjectionNamesTheChoices) {
    auto with = make_block(true);
    auto without = make_block(false);
    const std::string message = failure(*with, weights_of(*without));
    for (const char* part : {"include_fc: true", "MAISI's released weights", "weights.projection: identity"}) {
        EXPECT_NE(message.find(part), std::string::npos) << message;
    }
}

TEST(LoadStateDict, JoinedAndSeparateProjectionsTogetherAreRefused) {
    auto block = make_block(true);
    StateDict weights = weights_of(*block);
    weights.insert("attn.qkv.weight", at::ones({24, 8}));
    EXPECT_NE(failure(*block, weights).find("1 unexpected (attn.qkv.weight)"), std::string::npos);
}

TEST(LoadStateDict, ALayoutThatTheNetworkDoesNotHaveIsNamed) {
    auto block = make_block(true);
    AdaptOptions options;
    options.layout = "generative";
    EXPECT_NE(failure(*block, weights_of(*block), options).find("expected auto, monai-1.5 for this network"),
              std::string::npos);
}

TEST(LoadStateDict, NamesThatFitTwoLayoutsAreRefused) {
    auto block = make_block(true);
    const std::vector<KeyRule> swap = {{{"attn"}, "to_q", "to_k"}, {{"attn"}, "to_k", "to_q"}};
    AdaptOptions options;
    options.layouts.push_back({"swapped", "queries and keys swapped", swap, ""});
    EXPECT_NE(failure(*block, weights_of(*block), options).find("fit the layouts monai-1.5 and swapped alike"),
              std::string::npos);
    options.layout = "swapped";
    EXPECT_EQ(failure(*block, weights_of(*block), options), "");
}

TEST(LoadStateDict, NothingAtAllIsRefused) {
    auto block = make_block(true);
    EXPECT_NE(failure(*block, StateDict()).find("missing"), std::string::npos);
}

}  // namespace
}  // namespace voldiff

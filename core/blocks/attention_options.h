// How an attention block is built: the same four options in every block and network, and in `attention:` for single
// blocks of a network.
#pragma once

#include "core/option.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace voldiff {

// MONAI's arguments (SABlock, SpatialAttentionBlock, DiffusionModelUNet, ...). Flag is bool, or std::optional<bool>
// where "as the network says" is meant.
template <class Flag>
struct AttentionFlags {
    Flag include_fc{};                           // output projection
    Flag use_combined_linear{};                  // one `qkv` projection in place of `to_q`, `to_k`, `to_v`
    Flag use_flash_attention{};                  // the same numbers; refuses what MONAI's refuses
    std::optional<std::string> attention_dtype;  // type of the scores; absent: the network's

    void visit_attention_options(OptionVisitor& v) {
        v.visit(Option("include_fc", "output projection in the attention").also_called("use_proj_attn"), include_fc);
        v.visit(Option("use_combined_linear", "one projection for query, key and value"), use_combined_linear);
        v.visit(Option("use_flash_attention", "memory-efficient attention"), use_flash_attention);
        v.visit(Option("attention_dtype", "type of the attention scores"), attention_dtype);
    }
};

using AttentionOptions = AttentionFlags<bool>;

// What is different for the blocks that a pattern names.
struct AttentionOverride : OptionGroup, AttentionFlags<std::optional<bool>> {
    void visit_options(OptionVisitor& visitor) override { visit_attention_options(visitor); }
};

// Pattern of a shell (`down_blocks.2.*`; `*` takes dots too) -> override. Later entries win.
using AttentionOverrides = OptionMapOf<AttentionOverride>;

struct AttentionBlockRecord {
    std::string path;  // as in the keys: "down_blocks.2.attentions.0"
    AttentionOptions options;
};

// Decides for each attention block of a network, and remembers what it decided.
class AttentionPlan {
  public:
    AttentionPlan(AttentionOptions of_network, AttentionOverrides overrides)
        : of_network_(std::move(of_network)), overrides_(std::move(overrides)) {}

    AttentionOptions options_for(const std::string& path);
    const std::vector<AttentionBlockRecord>& blocks() const { return blocks_; }
    // After the last block: throws Error(config) for a pattern that names none of them.
    void check_all_used() const;

  private:
    AttentionOptions of_network_;
    AttentionOverrides overrides_;
    std::vector<AttentionBlockRecord> blocks_;
};

}  // namespace voldiff

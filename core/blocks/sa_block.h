// Self-attention over a sequence.
#pragma once

#include "core/blocks/attention_options.h"
#include "core/blocks/layers.h"
#include "core/option.h"

#include <optional>
#include <string>
#include <vector>

namespace voldiff {

// Arguments of monai/networks/blocks/selfattention.py (SABlock).
struct SABlockConfig : OptionGroup, AttentionOptions {
    std::int64_t hidden_size = 0;
    std::int64_t num_heads = 1;
    double dropout_rate = 0;  // training only, ignored
    bool qkv_bias = false;
    bool save_attn = false;
    std::optional<std::int64_t> dim_head;           // absent: hidden_size / num_heads
    std::optional<std::int64_t> hidden_input_size;  // absent: hidden_size
    bool causal = false;
    std::optional<std::int64_t> sequence_length;  // causal only: the longest sequence
    std::optional<std::string> rel_pos_embedding;
    std::vector<std::int64_t> input_size;  // rel_pos_embedding only: the extents of the sequence, 2 or 3

    SABlockConfig() { include_fc = use_combined_linear = true; }
    void visit_options(OptionVisitor& visitor) override;
    void check() const;  // throws Error(config)

    std::int64_t head_width() const { return dim_head ? *dim_head : hidden_size / num_heads; }
    std::int64_t inner_width() const { return num_heads * head_width(); }
    std::int64_t input_width() const { return hidden_input_size.value_or(hidden_size); }
};

// The relative position term of the scores, decomposed by axis (Fan et al. 2021, arXiv:2112.01526).
// Source: monai/networks/blocks/attention_utils.py (add_decomposed_rel_pos).
class DecomposedRelativePosEmbedding : public Module {
  public:
    DecomposedRelativePosEmbedding(std::vector<std::int64_t> extents, std::int64_t head_width);

    // Adds the term of the queries [begin, end) to `scores` [N, heads, end - begin, keys]; q [N, heads, queries, d].
    // Throws Error(config) where the sequence is not as long as the extents say.
    void add_to(at::Tensor& scores, const at::Tensor& q, std::int64_t begin, std::int64_t end) const;

  private:
    at::Tensor pairs(std::size_t axis) const;
    void add_2d(const at::Tensor& scores, const at::Tensor& q, std::int64_t begin, std::int64_t end) const;
    void add_3d(const at::Tensor& scores, const at::Tensor& q, std::int64_t begin, std::int64_t end) const;

    std::vector<std::int64_t> extents_;
    std::vector<at::Tensor> rel_pos_arr_;  // of each axis, [2 extent - 1, d]
};

// Projections to query, key and value, attention, and an output projection that is absent when switched off.
// Keys: `qkv` or `to_q`, `to_k`, `to_v`; `out_proj` with include_fc; `causal_mask` with causal.
class SABlock : public Module {
  public:
    explicit SABlock(const SABlockConfig& config);  // throws Error(config)

    // x [N, L, input width]; attn_mask [N, L], a key is dropped where it is 0. -> [N, L, input width], or
    // [N, L, heads * head width] without include_fc. Throws Error(config) for a sequence that does not fit.
    at::Tensor forward(const at::Tensor& x, const at::Tensor& attn_mask = {});

    const SABlockConfig& config() const { return config_; }
    std::string script() const override;
    const at::Tensor& att_mat() const { return att_mat_; }  // with save_attn: [N, heads, L, L] of the last call

  private:
    std::vector<at::Tensor> project(const at::Tensor& x);
    void adjust_scores(at::Tensor& scores, const at::Tensor& q, const at::Tensor& attn_mask, std::int64_t begin,
                       std::int64_t end) const;

    SABlockConfig config_;
    std::shared_ptr<Linear> qkv_;
    std::shared_ptr<Linear> to_q_;
    std::shared_ptr<Linear> to_k_;
    std::shared_ptr<Linear> to_v_;
    std::shared_ptr<Linear> out_proj_;
    std::shared_ptr<DecomposedRelativePosEmbedding> rel_positional_embedding_;
    at::Tensor causal_mask_;  // [1, 1, L, L]
    at::Tensor att_mat_;
};

// The element type of MONAI's `attention_dtype`. Throws Error(config).
at::ScalarType attention_type(const std::string& name);

double attention_scale(std::int64_t head_width);
// TorchScript's ".to(TYPE)" for that type, or nothing.
std::string script_cast(const std::optional<std::string>& attention_dtype);

// [N, L, heads * d] <-> [N, heads, L, d]
at::Tensor split_heads(const at::Tensor& x, std::int64_t num_heads);
at::Tensor merge_heads(const at::Tensor& x);

}  // namespace voldiff

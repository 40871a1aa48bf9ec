// What sits after a residual block of an attention level: self-attention, or a transformer that also attends to a
// context.
#pragma once

#include "core/blocks/sa_block.h"

#include <memory>

namespace voldiff {

class AttentionLayer : public TensorModule {
  public:
    // x [N, C, D, H, W], context [N, tokens, width] or undefined -> [N, C, D, H, W]
    virtual at::Tensor attend(const at::Tensor& x, const at::Tensor& context) = 0;
    at::Tensor forward(at::Tensor x) final { return attend(x, {}); }
};

// Arguments of monai/networks/blocks/spatialattention.py (SpatialAttentionBlock).
struct SpatialAttentionBlockConfig : OptionGroup, AttentionOptions {
    std::int64_t spatial_dims = 3;
    std::int64_t num_channels = 0;
    std::optional<std::int64_t> num_head_channels;  // absent: one head over all channels
    std::int64_t norm_num_groups = 32;
    double norm_eps = 1e-6;

    SpatialAttentionBlockConfig() { include_fc = true; }
    void visit_options(OptionVisitor& visitor) override;
};

// Group norm, self-attention over all voxels, plus the input before the norm. Keys: `norm`, `attn`.
class SpatialAttentionBlock : public AttentionLayer {
  public:
    explicit SpatialAttentionBlock(const SpatialAttentionBlockConfig& config);  // throws Error(config)
    at::Tensor attend(const at::Tensor& x, const at::Tensor& context) override;
    std::string script() const override;

  private:
    std::shared_ptr<GroupNorm> norm_;
    std::shared_ptr<SABlock> attn_;
};

// Arguments of monai/networks/blocks/crossattention.py (CrossAttentionBlock) that inference uses.
struct CrossAttentionBlockConfig : OptionGroup {
    std::int64_t hidden_size = 0;
    std::int64_t num_heads = 1;
    double dropout_rate = 0;  // training only, ignored
    std::optional<std::int64_t> hidden_input_size;
    std::optional<std::int64_t> context_input_size;
    std::optional<std::int64_t> dim_head;
    bool qkv_bias = false;
    bool save_attn = false;
    bool causal = false;
    std::optional<std::int64_t> sequence_length;
    std::optional<std::string> attention_dtype;
    bool use_flash_attention = false;

    void visit_options(OptionVisitor& visitor) override;
    void check() const;  // throws Error(config)

    std::int64_t head_width() const { return dim_head ? *dim_head : hidden_size / num_heads; }
};

// Attention of a sequence to a context, or to itself where none is given. Keys: `to_q`, `to_k`, `to_v`, `out_proj`.
class CrossAttentionBlock : public Module {
  public:
    explicit CrossAttentionBlock(const CrossAttentionBlockConfig& config);  // throws Error(config)

    // x [N, L, width], context [N, tokens, context width] -> [N, L, width]
    at::Tensor forward(const at::Tensor& x, const at::Tensor& context);
    const at::Tensor& att_mat() const { return att_mat_; }  // with save_attn
    std::string script() const override;

  private:
    CrossAttentionBlockConfig config_;
    std::shared_ptr<Linear> to_q_;
    std::shared_ptr<Linear> to_k_;
    std::shared_ptr<Linear> to_v_;
    std::shared_ptr<Linear> out_proj_;
    at::Tensor causal_mask_;  // [1, 1, L, L]
    at::Tensor att_mat_;
};

}  // namespace voldiff

// The transformer of conditioned U-Nets. Source: monai/networks/nets/diffusion_model_unet.py (SpatialTransformer,
// DiffusionUNetTransformerBlock), monai/networks/blocks/mlp.py (MLPBlock with GEGLU).
#pragma once

#include "core/blocks/attention_layer.h"

namespace voldiff {

// include_fc and use_combined_linear act on the self-attention; the cross-attention always has a projection.
struct SpatialTransformerConfig : OptionGroup, AttentionOptions {
    std::int64_t spatial_dims = 3;
    std::int64_t in_channels = 0;
    std::int64_t num_attention_heads = 1;
    std::int64_t num_head_channels = 1;
    std::int64_t num_layers = 1;
    double dropout = 0;  // training only, ignored
    std::int64_t norm_num_groups = 32;
    double norm_eps = 1e-6;
    std::optional<std::int64_t> cross_attention_dim;
    bool upcast_attention = false;

    SpatialTransformerConfig() { include_fc = true; }
    void visit_options(OptionVisitor& visitor) override;
};

// Feed-forward with GEGLU (Shazeer 2020, arXiv:2002.05202): half * gelu(other half), exact gelu.
// Keys: `linear1`, `linear2`. [N, L, width] -> [N, L, width]
class GegluMlp : public TensorModule {
  public:
    GegluMlp(std::int64_t hidden_size, std::int64_t mlp_dim);
    at::Tensor forward(at::Tensor x) override;
    std::string script() const override;

  private:
    std::shared_ptr<Linear> linear1_;
    std::shared_ptr<Linear> linear2_;
};

class TransformerBlock;

// Group norm, 1x1x1 convolution, transformer blocks over all voxels, 1x1x1 convolution, plus the input.
class SpatialTransformer : public AttentionLayer {
  public:
    explicit SpatialTransformer(const SpatialTransformerConfig& config);  // throws Error(config)
    at::Tensor attend(const at::Tensor& x, const at::Tensor& context) override;
    std::string script() const override;

  private:
    std::shared_ptr<GroupNorm> norm_;
    std::shared_ptr<Convolution> proj_in_;
    std::shared_ptr<Convolution> proj_out_;
    std::vector<std::shared_ptr<TransformerBlock>> transformer_blocks_;
};

}  // namespace voldiff

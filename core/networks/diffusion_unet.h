// The network that predicts velocity, noise or sample from a noisy latent.
// Sources: monai/networks/nets/diffusion_model_unet.py (DiffusionModelUNet),
//          monai/apps/generation/maisi/networks/diffusion_model_unet_maisi.py (DiffusionModelUNetMaisi).
#pragma once

#include "core/networks/diffusion_unet_config.h"
#include "core/networks/unet_trunk.h"

namespace voldiff {

// What the network is told besides the sample. Undefined tensors are not given.
struct UnetConditions {
    at::Tensor class_labels;                // [N], int64
    at::Tensor top_region_index_tensor;     // [N, 4], one-hot times 100
    at::Tensor bottom_region_index_tensor;  // [N, 4], one-hot times 100
    at::Tensor spacing_tensor;              // [N, 3], mm times 100
    at::Tensor context;                     // [N, tokens, cross_attention_dim]
};

// A ControlNet's contribution.
struct UnetResiduals {
    std::vector<at::Tensor> down;  // one for conv_in, each residual block and each downsampler; or none
    at::Tensor mid;                // added after the middle block
};

class DiffusionUnet : public UnetTrunk {
  public:
    explicit DiffusionUnet(const DiffusionUnetConfig& config);  // throws Error(config)

    // x [N, in_channels, D, H, W], timesteps [N] -> [N, out_channels, D, H, W].
    // Throws Error(config) where a condition is missing, is not wanted, or has another shape.
    at::Tensor forward(const at::Tensor& x, const at::Tensor& timesteps, const UnetConditions& conditions,
                       const UnetResiduals& residuals = {});

    const DiffusionUnetConfig& config() const { return config_; }
    const std::string& class_name() const override { return config_.target; }
    std::vector<at::Tensor> probe(std::uint64_t seed) override;  // the prediction

  private:
    void build_embeddings();
    void build_up_blocks();
    at::Tensor embed(const at::Tensor& x, const at::Tensor& timesteps, const UnetConditions& conditions);
    at::Tensor add_down_residuals(at::Tensor h, std::vector<at::Tensor>& skips, const UnetResiduals& residuals) const;

    DiffusionUnetConfig config_;
    std::shared_ptr<EmbeddingMlp> top_region_index_layer_;
    std::shared_ptr<EmbeddingMlp> bottom_region_index_layer_;
    std::shared_ptr<EmbeddingMlp> spacing_layer_;
    std::vector<std::shared_ptr<UnetUpBlock>> up_blocks_;
    std::shared_ptr<GroupNorm> out_norm_;
    std::shared_ptr<Convolution> out_conv_;
};

}  // namespace voldiff

// The network that predicts velocity, noise or sample from a noisy latent.
// Sources: monai/networks/nets/diffusion_model_unet.py (DiffusionModelUNet),
//          monai/apps/generation/maisi/networks/diffusion_model_unet_maisi.py (DiffusionModelUNetMaisi).
#pragma once

#include "core/networks/roles.h"
#include "core/networks/unet_trunk.h"

namespace voldiff {

class DiffusionUnet : public UnetTrunk, public Denoiser {
  public:
    explicit DiffusionUnet(const DiffusionUnetConfig& config);  // throws Error(config)

    at::Tensor forward(const at::Tensor& x, const at::Tensor& timesteps, const UnetConditions& conditions,
                       const UnetResiduals& residuals = {}) override;

    const DiffusionUnetConfig& config() const override { return config_; }
    at::TensorOptions options() const override { return Module::options(); }
    void release_packed_weights() override { Module::release_packed_weights(); }
    const std::string& class_name() const override { return config_.target; }
    std::vector<at::Tensor> probe_outputs(std::uint64_t seed) override { return probe(*this, seed); }
    std::string script() const override;

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

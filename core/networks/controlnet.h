// A copy of the U-Net's way down that reads a conditioning image and steers the U-Net by residuals
// (Zhang et al. 2023, arXiv:2302.05543).
// Sources: monai/networks/nets/controlnet.py (ControlNet, ControlNetConditioningEmbedding),
//          monai/apps/generation/maisi/networks/controlnet_maisi.py (ControlNetMaisi).
#pragma once

#include "core/networks/roles.h"
#include "core/networks/unet_trunk.h"

namespace voldiff {

// Conditioning [N, channels, D, H, W] -> [N, out_channels, d, h, w], extents divided by 2^(entries - 1).
// Keys: `conv_in`, `blocks.N`, `conv_out`.
class ConditioningEmbedding : public TensorModule {
  public:
    ConditioningEmbedding(std::int64_t in_channels, std::int64_t out_channels,
                          const std::vector<std::int64_t>& num_channels);
    at::Tensor forward(at::Tensor conditioning) override;
    std::string script() const override;

  private:
    std::shared_ptr<Convolution> conv_in_;
    std::vector<std::shared_ptr<Convolution>> blocks_;
    std::shared_ptr<Convolution> conv_out_;
};

class ControlNet : public UnetTrunk, public Controller {
  public:
    explicit ControlNet(const ControlNetConfig& config);  // throws Error(config)

    at::Tensor embed(const at::Tensor& controlnet_cond) override;  // [N, num_channels.front(), d, h, w]
    UnetResiduals forward(const at::Tensor& x, const at::Tensor& timesteps,
                          const ControlNetConditions& conditions) override;

    const ControlNetConfig& config() const override { return config_; }
    at::TensorOptions options() const override { return Module::options(); }
    void release_packed_weights() override { Module::release_packed_weights(); }
    const std::string& class_name() const override { return config_.target; }
    std::vector<at::Tensor> probe_outputs(std::uint64_t seed) override { return probe(*this, seed); }
    std::string script() const override;

  private:
    void build_projections();
    at::Tensor embedding_for(const at::Tensor& x, const ControlNetConditions& conditions);

    ControlNetConfig config_;
    std::shared_ptr<ConditioningEmbedding> controlnet_cond_embedding_;
    std::vector<std::shared_ptr<Convolution>> controlnet_down_blocks_;
    std::shared_ptr<Convolution> controlnet_mid_block_;
};

}  // namespace voldiff

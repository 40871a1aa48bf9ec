// What the diffusion U-Net and the ControlNet have in common: the way down and the middle, and the time embedding.
// Source: monai/networks/nets/diffusion_model_unet.py (DiffusionModelUNet).
#pragma once

#include "core/blocks/unet_stage.h"
#include "core/networks/network.h"
#include "core/networks/unet_trunk_config.h"

namespace voldiff {

class UnetTrunk : public Network {
  public:
    std::vector<KeyLayout> layouts() const override { return unet_layouts(); }

  protected:
    // `temb_channels`: width of what the residual blocks are given. Throws Error(config).
    UnetTrunk(const UnetTrunkConfig& config, std::int64_t temb_channels);

    // Throws Error(config) where x is not [N, in_channels, D, H, W], or the context not what the network takes.
    void check_call(const at::Tensor& x, const at::Tensor& context) const;

    // timesteps [N], class_labels [N] (undefined where the network takes none) -> [N, 4 * num_channels[0]]
    at::Tensor embed_time(const at::Tensor& x, const at::Tensor& timesteps, const at::Tensor& class_labels);

    // Level `level` of the way `block_list` ("down_blocks", "up_blocks"), which is block `index` of it.
    UnetStageOptions stage(std::size_t level, const std::string& block_list, std::size_t index);

    // TorchScript lines: `emb` and `context_` from the arguments; `h` and `skips` through the way down.
    std::string script_embed_time() const;
    std::string script_down() const;

    std::shared_ptr<Convolution> conv_in_;
    std::vector<std::shared_ptr<UnetDownBlock>> down_blocks_;
    std::shared_ptr<UnetMidBlock> middle_block_;

  private:
    void build_down_blocks();
    void build_middle_block();
    MakeAttention attention_of(std::size_t level, const std::string& block);

    UnetTrunkConfig trunk_;
    std::int64_t temb_channels_;
    std::shared_ptr<EmbeddingMlp> time_embed_;
    std::shared_ptr<Embedding> class_embedding_;
};

// The tensor of a condition that the network was built for. Throws Error(config), naming it, where it is undefined.
const at::Tensor& given_condition(const at::Tensor& condition, const char* name);
// The same for one that has to be [N, width].
const at::Tensor& given_condition(const at::Tensor& condition, const char* name, std::int64_t width);

}  // namespace voldiff

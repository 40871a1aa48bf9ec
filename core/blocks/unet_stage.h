// The down, middle and up blocks of the U-Nets: residual blocks, each followed by attention where the level has it.
// Source: monai/networks/nets/diffusion_model_unet.py (DownBlock, AttnDownBlock, CrossAttnDownBlock, and the Mid and Up
// blocks of the same three kinds).
#pragma once

#include "core/blocks/attention_layer.h"
#include "core/blocks/unet_resnet_block.h"

#include <functional>
#include <string>

namespace voldiff {

// Makes the attention block with this key in its stage: "attentions.0", or "attention" in the middle.
using MakeAttention = std::function<std::shared_ptr<AttentionLayer>(const std::string& key)>;

struct UnetStageOptions {
    std::int64_t in_channels = 0;          // down: of the input; up: of the last skip, which the level above made
    std::int64_t prev_output_channel = 0;  // up: of the hidden state
    std::int64_t out_channels = 0;
    std::int64_t temb_channels = 0;
    std::int64_t num_res_blocks = 1;
    std::int64_t norm_num_groups = 32;
    double norm_eps = 1e-6;
    bool resample = true;  // ends in a down- or upsampler
    bool resblock_updown = false;
    MakeAttention make_attention;  // empty for levels without
};

class UnetDownBlock : public Module {
  public:
    explicit UnetDownBlock(const UnetStageOptions& options);

    // x [N, C, D, H, W] -> [N, C', D / 2, H / 2, W / 2] (or the same extents). Appends the output of each residual
    // block, and of the downsampler, to `skips`.
    at::Tensor forward(at::Tensor x, const at::Tensor& emb, const at::Tensor& context, std::vector<at::Tensor>& skips);
    std::string script() const override;

  private:
    std::vector<std::shared_ptr<UnetResnetBlock>> resnets_;
    std::vector<std::shared_ptr<AttentionLayer>> attentions_;
    std::shared_ptr<EmbeddedModule> downsampler_;
};

class UnetMidBlock : public Module {
  public:
    explicit UnetMidBlock(const UnetStageOptions& options);
    at::Tensor forward(at::Tensor x, const at::Tensor& emb, const at::Tensor& context);
    std::string script() const override;

  private:
    std::shared_ptr<UnetResnetBlock> resnet_1_;
    std::shared_ptr<AttentionLayer> attention_;
    std::shared_ptr<UnetResnetBlock> resnet_2_;
};

class UnetUpBlock : public Module {
  public:
    explicit UnetUpBlock(const UnetStageOptions& options);

    // Takes one skip a residual block from the end of `skips` and puts it after the hidden state's channels.
    // Throws Error(config) where the extents of the two differ.
    at::Tensor forward(at::Tensor x, const at::Tensor& emb, const at::Tensor& context, std::vector<at::Tensor>& skips);
    std::string script() const override;

  private:
    std::vector<std::shared_ptr<UnetResnetBlock>> resnets_;
    std::vector<std::shared_ptr<AttentionLayer>> attentions_;
    std::shared_ptr<EmbeddedModule> upsampler_;
};

}  // namespace voldiff

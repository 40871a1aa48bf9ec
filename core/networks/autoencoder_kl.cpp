#include "core/networks/autoencoder_kl.h"

#include "core/blocks/autoencoder_blocks.h"
#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <sstream>

namespace voldiff {

namespace {

using Blocks = std::vector<std::shared_ptr<TensorModule>>;

// Residual block, attention, residual block at the lowest resolution.
void add_nonlocal_part(Blocks& blocks, const AutoencoderKlConfig& config) {
    const std::int64_t channels = config.num_channels.back();
    blocks.push_back(make_autoencoder_resblock(config, channels, channels, /*plain=*/true));
    blocks.push_back(make_autoencoder_attention(config, channels));
    blocks.push_back(make_autoencoder_resblock(config, channels, channels, /*plain=*/true));
}

// The residual blocks of a level, each followed by attention where the level has it.
void add_level(Blocks& blocks, const AutoencoderKlConfig& config, std::size_t level, std::int64_t in_channels) {
    const std::int64_t out_channels = config.num_channels[level];
    const std::int64_t res_blocks = config.num_res_blocks.expand(config.num_channels.size(), "num_res_blocks")[level];
    for (std::int64_t i = 0; i < res_blocks; ++i) {
        blocks.push_back(make_autoencoder_resblock(config, i == 0 ? in_channels : out_channels, out_channels));
        if (config.attention_levels[level]) blocks.push_back(make_autoencoder_attention(config, out_channels));
    }
}

Blocks encoder_blocks(const AutoencoderKlConfig& config) {
    const std::vector<std::int64_t>& channels = config.num_channels;
    Blocks blocks;
    blocks.push_back(
        std::make_shared<AutoencoderConvolution>(config, ConvolutionOptions{config.in_channels, channels.front()}));
    for (std::size_t level = 0; level < channels.size(); ++level) {
        add_level(blocks, config, level, channels[level == 0 ? 0 : level - 1]);
        if (level + 1 < channels.size()) blocks.push_back(make_autoencoder_downsample(config, channels[level]));
    }
    if (config.with_encoder_nonlocal_attn) add_nonlocal_part(blocks, config);
    blocks.push_back(std::make_shared<GroupNorm>(config.norm_num_groups, channels.back(), config.norm_eps));
    blocks.push_back(
        std::make_shared<AutoencoderConvolution>(config, ConvolutionOptions{channels.back(), config.latent_channels}));
    return blocks;
}

Blocks decoder_blocks(const AutoencoderKlConfig& config) {
    const std::vector<std::int64_t>& channels = config.num_channels;
    Blocks blocks;
    blocks.push_back(
        std::make_shared<AutoencoderConvolution>(config, ConvolutionOptions{config.latent_channels, channels.back()}));
    if (config.with_decoder_nonlocal_attn) add_nonlocal_part(blocks, config);
    for (std::size_t level = channels.size(); level-- > 0;) {
        add_level(blocks, config, level, channels[std::min(level + 1, channels.size() - 1)]);
        if (level > 0) blocks.push_back(make_autoencoder_upsample(config, channels[level]));
    }
    blocks.push_back(std::make_shared<GroupNorm>(config.norm_num_groups, channels.front(), config.norm_eps));
    blocks.push_back(
        std::make_shared<AutoencoderConvolution>(config, ConvolutionOptions{channels.front(), config.out_channels}));
    return blocks;
}

void check_channels(const at::Tensor& x, std::int64_t channels, const char* what) {
    if (x.dim() == 5 && x.size(1) == channels) return;
    std::ostringstream message;
    message << "autoencoder: the " << what << " is " << x.sizes() << ", expected [N, " << channels << ", D, H, W]";
    throw Error(ErrorCode::config, message.str());
}

}  // namespace

BlockCascade::BlockCascade(std::vector<std::shared_ptr<TensorModule>> blocks) : blocks_(std::move(blocks)) {
    register_list("blocks", blocks_);
}

at::Tensor BlockCascade::forward(at::Tensor x, const BlockProgress& progress) {
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        x = blocks_[i]->forward(std::move(x));
        if (progress) progress(i + 1, blocks_.size());
    }
    return x;
}

AutoencoderKl::AutoencoderKl(const AutoencoderKlConfig& config) : config_(config) {
    config.check();
    const ConvolutionOptions pointwise{config.latent_channels, config.latent_channels, 1, 1, 0};
    encoder_ = add<BlockCascade>("encoder", encoder_blocks(config));
    decoder_ = add<BlockCascade>("decoder", decoder_blocks(config));
    quant_conv_mu_ = add<Convolution>("quant_conv_mu", pointwise);
    quant_conv_log_sigma_ = add<Convolution>("quant_conv_log_sigma", pointwise);
    post_quant_conv_ = add<Convolution>("post_quant_conv", pointwise);
}

LatentDistribution AutoencoderKl::encode(const at::Tensor& image, const BlockProgress& progress) {
    check_channels(image, config_.in_channels, "image");
    const at::Tensor h = encoder_->forward(image, progress);
    const at::Tensor log_variance = quant_conv_log_sigma_->forward(h).clamp_(-30.0, 20.0);
    return {quant_conv_mu_->forward(h), log_variance.div(2).exp_()};
}

at::Tensor AutoencoderKl::decode(const at::Tensor& latent, const BlockProgress& progress) {
    check_channels(latent, config_.latent_channels, "latent");
    return decoder_->forward(post_quant_conv_->forward(latent), progress);
}

}  // namespace voldiff

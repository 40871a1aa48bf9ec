// The autoencoder between images and latents.
// Sources: monai/networks/nets/autoencoderkl.py (AutoencoderKL, Encoder, Decoder),
//          monai/apps/generation/maisi/networks/autoencoderkl_maisi.py (AutoencoderKlMaisi).
#pragma once

#include "core/blocks/layers.h"
#include "core/networks/autoencoder_kl_config.h"
#include "core/networks/network.h"

#include <functional>
#include <memory>
#include <vector>

namespace voldiff {

// Called after each block of a network with the number of blocks done and in all. May throw to stop.
using BlockProgress = std::function<void(std::size_t done, std::size_t all)>;

// A cascade of blocks, keys `blocks.N`: the encoder or the decoder.
class BlockCascade : public Module {
  public:
    explicit BlockCascade(std::vector<std::shared_ptr<TensorModule>> blocks);
    at::Tensor forward(at::Tensor x, const BlockProgress& progress);

  private:
    std::vector<std::shared_ptr<TensorModule>> blocks_;
};

struct LatentDistribution {
    at::Tensor mean;   // [N, latent_channels, d, h, w]
    at::Tensor sigma;  // same shape
};

class AutoencoderKl : public Network {
  public:
    explicit AutoencoderKl(const AutoencoderKlConfig& config);  // throws Error(config)

    // image [N, in_channels, D, H, W] -> its latent distribution, extents divided by 2^(levels - 1).
    LatentDistribution encode(const at::Tensor& image, const BlockProgress& progress = {});

    // latent [N, latent_channels, d, h, w] -> image [N, out_channels, D, H, W]. The caller divides by the scale factor.
    at::Tensor decode(const at::Tensor& latent, const BlockProgress& progress = {});

    // MONAI's other name of decode.
    at::Tensor decode_stage_2_outputs(const at::Tensor& latent) { return decode(latent); }

    const AutoencoderKlConfig& config() const { return config_; }
    const std::string& class_name() const override { return config_.target; }
    std::vector<KeyLayout> layouts() const override;
    std::vector<at::Tensor> probe(std::uint64_t seed) override;  // mean, sigma, decoded

  private:
    AutoencoderKlConfig config_;
    std::shared_ptr<BlockCascade> encoder_;
    std::shared_ptr<BlockCascade> decoder_;
    std::shared_ptr<Convolution> quant_conv_mu_;
    std::shared_ptr<Convolution> quant_conv_log_sigma_;
    std::shared_ptr<Convolution> post_quant_conv_;
};

}  // namespace voldiff

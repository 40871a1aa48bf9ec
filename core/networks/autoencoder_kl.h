// The autoencoder between images and latents.
// Sources: monai/networks/nets/autoencoderkl.py (AutoencoderKL, Encoder, Decoder),
//          monai/apps/generation/maisi/networks/autoencoderkl_maisi.py (AutoencoderKlMaisi).
#pragma once

#include "core/blocks/layers.h"
#include "core/networks/network.h"
#include "core/networks/roles.h"

#include <memory>
#include <vector>

namespace voldiff {

// A cascade of blocks, keys `blocks.N`: the encoder or the decoder.
class BlockCascade : public Module {
  public:
    // levels: of each block's output, 0 the finest.
    BlockCascade(std::vector<std::shared_ptr<TensorModule>> blocks, std::vector<std::size_t> levels);
    at::Tensor forward(at::Tensor x, const BlockProgress& progress);
    // The same on a streamed volume; the result is made when it is read.
    ops::Planes forward_planes(ops::Planes x, const StreamPlan& plan);
    std::string script() const override;

  private:
    std::vector<std::shared_ptr<TensorModule>> blocks_;
    std::vector<std::size_t> levels_;
};

class AutoencoderKl : public Network, public Autoencoder {
  public:
    explicit AutoencoderKl(const AutoencoderKlConfig& config);  // throws Error(config)

    LatentDistribution encode(const at::Tensor& image, const BlockProgress& progress = {}) override;
    at::Tensor decode(const at::Tensor& latent, const BlockProgress& progress = {}) override;
    at::Tensor decode_streamed(const at::Tensor& latent, const StreamPlan& plan,
                               const BlockProgress& progress = {}) override;
    at::Tensor decode_classes(const at::Tensor& latent, const StreamPlan& plan,
                              const BlockProgress& progress = {}) override;
    std::optional<DecodeCost> decode_cost(const std::array<std::int64_t, 3>& latent,
                                          const StreamPlan& plan) const override;

    // MONAI's other name of decode.
    at::Tensor decode_stage_2_outputs(const at::Tensor& latent) { return decode(latent); }

    const AutoencoderKlConfig& config() const override { return config_; }
    at::TensorOptions options() const override { return Module::options(); }
    void release_packed_weights() override { Module::release_packed_weights(); }
    const std::string& class_name() const override { return config_.target; }
    std::vector<KeyLayout> layouts() const override;
    std::vector<at::Tensor> probe_outputs(std::uint64_t seed) override { return probe(*this, seed); }
    std::string script() const override;

  private:
    // `finish` makes a tensor of the streamed image.
    at::Tensor stream(const at::Tensor& latent, const StreamPlan& plan, const DecodeCost& cost,
                      const BlockProgress& progress, const std::function<at::Tensor(ops::Planes)>& finish);

    AutoencoderKlConfig config_;
    std::shared_ptr<BlockCascade> encoder_;
    std::shared_ptr<BlockCascade> decoder_;
    std::shared_ptr<Convolution> quant_conv_mu_;
    std::shared_ptr<Convolution> quant_conv_log_sigma_;
    std::shared_ptr<Convolution> post_quant_conv_;
};

}  // namespace voldiff

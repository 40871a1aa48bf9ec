// What the pipeline asks of networks, whoever computes it: voldiff's own, or a TorchScript module in their place.
#pragma once

#include "core/blocks/level_plan.h"
#include "core/networks/autoencoder_kl_config.h"
#include "core/networks/controlnet_config.h"
#include "core/networks/diffusion_unet_config.h"

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace voldiff {

// Called after each block of a network with the number of blocks done and in all. May throw to stop.
using BlockProgress = std::function<void(std::size_t done, std::size_t all)>;

struct LatentDistribution {
    at::Tensor mean;   // [N, latent_channels, d, h, w]
    at::Tensor sigma;  // same shape
};

struct DecodeCost {
    double bytes = 0;       // at the peak, the image with it, the weights and the latent not
    double kept_bytes = 0;  // of these, what the kernels keep for later: a second decoding finds it there
    double work = 0;        // in multiplications; to be compared with others
};

// What they all are.
class NetworkRole {
  public:
    virtual ~NetworkRole() = default;
    // Type and device of the weights.
    virtual at::TensorOptions options() const = 0;
    // Frees what is kept between calls for speed, twice the weights and more; the next call makes it again.
    virtual void release_packed_weights() {}
};

class Autoencoder : public NetworkRole {
  public:
    // image [N, in_channels, D, H, W] -> its latent distribution, extents divided by 2^(levels - 1).
    virtual LatentDistribution encode(const at::Tensor& image, const BlockProgress& progress = {}) = 0;
    // latent [N, latent_channels, d, h, w] -> image [N, out_channels, D, H, W]. The caller divides by the scale factor.
    virtual at::Tensor decode(const at::Tensor& latent, const BlockProgress& progress = {}) = 0;
    // The same result, made plane by plane along the longest axis: what the plan does not keep is never there as a
    // whole. Here: decode(). Progress is in hundredths.
    virtual at::Tensor decode_streamed(const at::Tensor& latent, const StreamPlan& plan,
                                       const BlockProgress& progress = {});
    // The channel of that result that is largest in each voxel (the first of equals), [N, D, H, W], uint8. Where the
    // network streams, all channels are never there at once. Throws Error(config) for more than 256 channels.
    virtual at::Tensor decode_classes(const at::Tensor& latent, const StreamPlan& plan,
                                      const BlockProgress& progress = {});
    // What that needs for a latent of these extents; nothing where there is only decode().
    virtual std::optional<DecodeCost> decode_cost(const std::array<std::int64_t, 3>& latent,
                                                  const StreamPlan& plan) const;
    virtual const AutoencoderKlConfig& config() const = 0;
};

// What a denoiser is told besides the sample. Undefined tensors are not given.
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

class Denoiser : public NetworkRole {
  public:
    // x [N, in_channels, D, H, W], timesteps [N] -> [N, out_channels, D, H, W]: velocity, noise or sample.
    // Throws Error(config) where a condition is missing, is not wanted, or has another shape.
    virtual at::Tensor forward(const at::Tensor& x, const at::Tensor& timesteps, const UnetConditions& conditions,
                               const UnetResiduals& residuals = {}) = 0;
    virtual const DiffusionUnetConfig& config() const = 0;
};

// What a controller is told besides the sample. Undefined tensors are not given.
struct ControlNetConditions {
    at::Tensor controlnet_cond;  // [N, conditioning channels, D, H, W]
    at::Tensor class_labels;     // [N], int64
    at::Tensor context;          // [N, tokens, cross_attention_dim]
    double conditioning_scale = 1;
    at::Tensor embedding;  // what embed() gave, in place of controlnet_cond
};

class Controller : public NetworkRole {
  public:
    // What forward() makes of the conditioning [N, conditioning channels, D, H, W] whatever the sample and the time:
    // MAISI's mask is 64 times the latent and the same at every step. Undefined where that part cannot be run apart.
    // Throws Error(config) where the conditioning is missing or has other channels.
    virtual at::Tensor embed(const at::Tensor& controlnet_cond);
    // x [N, in_channels, d, h, w], timesteps [N] -> residuals of conv_in, each residual block and each downsampler, and
    // of the middle. Throws Error(config) where a condition is missing or has another shape.
    virtual UnetResiduals forward(const at::Tensor& x, const at::Tensor& timesteps,
                                  const ControlNetConditions& conditions) = 0;
    virtual const ControlNetConfig& config() const = 0;
};

// x [N, channels, D, H, W] -> the largest channel of each voxel, [N, D, H, W], uint8. NaN counts as largest.
// Throws Error(config) for more than 256 channels.
at::Tensor largest_channel(const at::Tensor& x);

// Every output for a small random input (standard normal, the same for a seed): to compare two of a kind.
std::vector<at::Tensor> probe(Autoencoder& network, std::uint64_t seed);  // mean, sigma, decoded
std::vector<at::Tensor> probe(Denoiser& network, std::uint64_t seed);     // the prediction
std::vector<at::Tensor> probe(Controller& network, std::uint64_t seed);   // the residuals, the middle's last

}  // namespace voldiff

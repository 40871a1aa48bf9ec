#include "core/networks/roles.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

namespace voldiff {

namespace {

class ProbeNoise {
  public:
    ProbeNoise(std::uint64_t seed, const at::TensorOptions& options)
        : generator_(at::detail::createCPUGenerator(seed)), options_(options) {}
    at::Tensor operator()(at::IntArrayRef shape) { return at::randn(shape, generator_, at::kFloat).to(options_); }

  private:
    at::Generator generator_;
    at::TensorOptions options_;
};

at::Tensor probe_time(const at::TensorOptions& options) { return at::full({1}, 500.0, options.dtype(at::kFloat)); }
at::Tensor probe_class(const at::TensorOptions& options) { return at::zeros({1}, options.dtype(at::kLong)); }

}  // namespace

std::vector<at::Tensor> probe(Autoencoder& network, std::uint64_t seed) {
    const AutoencoderKlConfig& config = network.config();
    ProbeNoise noise(seed, network.options());
    const std::int64_t extent = 4 * config.downsampling();
    const LatentDistribution z = network.encode(noise({1, config.in_channels, extent, extent, extent}));
    return {z.mean, z.sigma, network.decode(noise({1, config.latent_channels, 4, 4, 4}))};
}

std::vector<at::Tensor> probe(Denoiser& network, std::uint64_t seed) {
    const DiffusionUnetConfig& config = network.config();
    ProbeNoise noise(seed, network.options());
    const std::int64_t extent = 2 * config.extent_multiple();
    const at::Tensor x = noise({1, config.in_channels, extent, extent, extent});
    UnetConditions conditions;
    if (config.num_class_embeds) conditions.class_labels = probe_class(network.options());
    if (config.include_top_region_index_input) conditions.top_region_index_tensor = noise({1, 4}).abs_().mul_(100);
    if (config.include_bottom_region_index_input) {
        conditions.bottom_region_index_tensor = noise({1, 4}).abs_().mul_(100);
    }
    if (config.include_spacing_input) conditions.spacing_tensor = noise({1, 3}).abs_().mul_(100);
    if (config.cross_attention_dim) conditions.context = noise({1, 5, *config.cross_attention_dim});
    return {network.forward(x, probe_time(network.options()), conditions)};
}

std::vector<at::Tensor> probe(Controller& network, std::uint64_t seed) {
    const ControlNetConfig& config = network.config();
    ProbeNoise noise(seed, network.options());
    const std::int64_t extent = 2 * config.extent_multiple();
    const std::int64_t image = extent * config.conditioning_downsampling();
    const at::Tensor x = noise({1, config.in_channels, extent, extent, extent});
    ControlNetConditions conditions;
    conditions.controlnet_cond = noise({1, config.conditioning_embedding_in_channels, image, image, image});
    if (config.num_class_embeds) conditions.class_labels = probe_class(network.options());
    if (config.cross_attention_dim) conditions.context = noise({1, 5, *config.cross_attention_dim});
    UnetResiduals residuals = network.forward(x, probe_time(network.options()), conditions);
    residuals.down.push_back(residuals.mid);
    return residuals.down;
}

}  // namespace voldiff

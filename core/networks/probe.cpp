#include "core/networks/probe.h"

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

std::array<std::int64_t, 3> small_extents(const UnetTrunkConfig& config) {
    const std::int64_t extent = 2 * config.extent_multiple();
    return {extent, extent, extent};
}

}  // namespace

std::vector<at::Tensor> probe(Autoencoder& network, std::uint64_t seed) {
    const AutoencoderKlConfig& config = network.config();
    ProbeNoise noise(seed, network.options());
    const std::int64_t extent = 4 * config.downsampling();
    const LatentDistribution z = network.encode(noise({1, config.in_channels, extent, extent, extent}));
    return {z.mean, z.sigma, network.decode(noise({1, config.latent_channels, 4, 4, 4}))};
}

std::vector<at::Tensor> probe(Denoiser& network, std::uint64_t seed) {
    return probe(network, seed, small_extents(network.config()));
}

std::vector<at::Tensor> probe(Controller& network, std::uint64_t seed) {
    return probe(network, seed, small_extents(network.config()));
}

std::vector<at::Tensor> probe(Denoiser& network, std::uint64_t seed, const std::array<std::int64_t, 3>& extents) {
    const DiffusionUnetConfig& config = network.config();
    ProbeNoise noise(seed, network.options());
    const at::Tensor x = noise({1, config.in_channels, extents[0], extents[1], extents[2]});
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

std::vector<at::Tensor> probe(Controller& network, std::uint64_t seed, const std::array<std::int64_t, 3>& extents) {
    const ControlNetConfig& config = network.config();
    ProbeNoise noise(seed, network.options());
    const std::int64_t factor = config.conditioning_downsampling();
    const at::Tensor x = noise({1, config.in_channels, extents[0], extents[1], extents[2]});
    ControlNetConditions conditions;
    conditions.controlnet_cond = noise(
        {1, config.conditioning_embedding_in_channels, extents[0] * factor, extents[1] * factor, extents[2] * factor});
    if (config.num_class_embeds) conditions.class_labels = probe_class(network.options());
    if (config.cross_attention_dim) conditions.context = noise({1, 5, *config.cross_attention_dim});
    UnetResiduals residuals = network.forward(x, probe_time(network.options()), conditions);
    residuals.down.push_back(residuals.mid);
    return residuals.down;
}

// Of each level: two convolutions a residual block on the way down, three (the skips double the input) on the way up,
// and the resampling; two products of all tokens with all in each attention block.
double unet_work(const UnetTrunkConfig& config, const std::array<std::int64_t, 3>& extents) {
    constexpr double taps = 27;
    const std::size_t levels = config.num_channels.size();
    const std::vector<std::int64_t> res_blocks = config.num_res_blocks.expand(levels, "num_res_blocks");
    double voxels = 1, work = 0;
    for (const std::int64_t extent : extents) voxels *= static_cast<double>(extent);
    for (std::size_t level = 0; level < levels; ++level, voxels /= 8) {
        const auto channels = static_cast<double>(config.num_channels[level]);
        const auto blocks = static_cast<double>(res_blocks[level]);
        work += taps * channels * channels * voxels * (2 * blocks + 3 * (blocks + 1) + 4);
        if (config.attention_levels[level]) work += 2 * voxels * voxels * channels * (2 * blocks + 1);
    }
    return work;
}

}  // namespace voldiff

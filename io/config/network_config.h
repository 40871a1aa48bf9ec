// The `network` part of a run: MAISI's network file.
#pragma once

#include "core/networks/autoencoder_kl_config.h"
#include "core/networks/controlnet_config.h"
#include "core/networks/diffusion_unet_config.h"
#include "io/config/reader.h"

#include <filesystem>
#include <optional>
#include <set>
#include <string>

namespace voldiff {

// Keys as in NV-Generate-CTMR's config_network_*.json. What is RawOptions is not read yet, or by `read_scheduler`.
struct NetworkConfig : OptionGroup {
    std::int64_t spatial_dims = 3;
    std::int64_t image_channels = 1;
    std::int64_t latent_channels = 4;
    bool include_body_region = false;
    AutoencoderKlConfig autoencoder;     // autoencoder_def
    DiffusionUnetConfig diffusion_unet;  // diffusion_unet_def
    RawOptions controlnet_def;           // read into `controlnet`, and so on
    RawOptions noise_scheduler;
    RawOptions mask_generation_autoencoder_def;
    RawOptions mask_generation_diffusion_def;
    RawOptions mask_generation_noise_scheduler;
    std::vector<std::int64_t> mask_generation_latent_shape;
    double mask_generation_scale_factor = 1;

    // Networks that a model may go without.
    std::optional<ControlNetConfig> controlnet;
    std::optional<AutoencoderKlConfig> mask_generation_autoencoder;
    std::optional<DiffusionUnetConfig> mask_generation_diffusion;

    void visit_options(OptionVisitor& visitor) override;
};

// Reads a map whose references are resolved, and checks each network by itself. `prefix` is the map's key path in
// messages; keys of `accepted` that are no options are left alone.
void read_network(NetworkConfig& network, const Node& map, const std::string& prefix, const ReadContext& context,
                  const std::set<std::string>& accepted = {});

// The networks of a file: MAISI's network file, or the `network` of a run config or of a record.
// Throws Error(config) with all mistakes, Error(io) where the file cannot be read.
NetworkConfig load_network_config(const std::filesystem::path& file);

// The tree of a RawOptions; an empty map where nothing was given.
Node raw_node(const RawOptions& options);

}  // namespace voldiff

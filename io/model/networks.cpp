// The networks of a network file.
#include "core/error.h"
#include "core/networks/autoencoder_kl.h"
#include "core/networks/controlnet.h"
#include "core/networks/diffusion_unet.h"
#include "io/model/model.h"

#include <functional>

namespace voldiff {

namespace {

using MakeNetwork = std::function<std::unique_ptr<Network>()>;

template <class NetworkClass, class Config>
MakeNetwork maker(const Config& config) {
    return [&config] { return std::make_unique<NetworkClass>(config); };
}

template <class NetworkClass, class Config>
void add_if_given(std::vector<std::pair<std::string, MakeNetwork>>& makers, const std::string& name,
                  const std::optional<Config>& config) {
    if (config) makers.emplace_back(name, maker<NetworkClass>(*config));
}

std::vector<std::pair<std::string, MakeNetwork>> network_makers(const NetworkConfig& config) {
    std::vector<std::pair<std::string, MakeNetwork>> makers = {
        {"autoencoder", maker<AutoencoderKl>(config.autoencoder)},
        {"diffusion_unet", maker<DiffusionUnet>(config.diffusion_unet)},
    };
    add_if_given<ControlNet>(makers, "controlnet", config.controlnet);
    add_if_given<AutoencoderKl>(makers, "mask_generation_autoencoder", config.mask_generation_autoencoder);
    add_if_given<DiffusionUnet>(makers, "mask_generation_diffusion", config.mask_generation_diffusion);
    return makers;
}

}  // namespace

std::vector<std::string> network_names(const NetworkConfig& config) {
    std::vector<std::string> names;
    for (const auto& [name, make] : network_makers(config)) names.push_back(name);
    return names;
}

std::unique_ptr<Network> make_network(const NetworkConfig& config, const std::string& name) {
    std::string known;
    for (const auto& [key, make] : network_makers(config)) {
        if (key == name) return make();
        known += (known.empty() ? "" : ", ") + key;
    }
    throw Error(ErrorCode::config, "the network file has no '" + name + "', expected one of " + known);
}

nlohmann::ordered_json attention_record(const Network& network) {
    nlohmann::ordered_json blocks = nlohmann::ordered_json::array();
    for (const AttentionBlockRecord& block : network.attention_blocks()) {
        nlohmann::ordered_json dtype;
        if (block.options.attention_dtype) dtype = *block.options.attention_dtype;
        blocks.push_back({{"path", block.path},
                          {"include_fc", block.options.include_fc},
                          {"use_combined_linear", block.options.use_combined_linear},
                          {"use_flash_attention", block.options.use_flash_attention},
                          {"attention_dtype", dtype}});
    }
    return blocks;
}

}  // namespace voldiff

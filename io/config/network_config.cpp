#include "io/config/network_config.h"

#include "core/error.h"
#include "io/config/config_file.h"
#include "io/config/references.h"
#include "io/config/run_config.h"
#include "io/config/yaml.h"

namespace voldiff {

namespace {

// The `_target_` first, since it chooses the defaults of the rest.
template <class Config>
class TargetGroup : public OptionGroup {
  public:
    explicit TargetGroup(Config& config) : config_(config) {}

    void visit_options(OptionVisitor& v) override {
        std::string target = config_.target;
        v.visit(Option("_target_", "MONAI's class").needed(), target);
        if (target != config_.target) config_ = Config::of(target);
        config_.visit_options(v);
    }

  private:
    Config& config_;
};

template <class Config>
void check(const Config& config, const Node& map, const std::string& prefix, Problems& problems) {
    try {
        config.check();
    } catch (const Error& e) {
        problems.add(map.mark, "'" + prefix + "': " + e.what());
    }
}

template <class Config>
void read_optional(std::optional<Config>& network, const RawOptions& options, const std::string& path,
                   const ReadContext& context) {
    const Node map = raw_node(options);
    if (map.entries.empty()) return;
    const std::size_t before = context.problems->size();
    network.emplace();
    TargetGroup<Config> group(*network);
    read_options(group, map, path, {context.problems, nullptr, context.other_paths});
    if (context.problems->size() == before) check(*network, map, path, *context.problems);
}

}  // namespace

void NetworkConfig::visit_options(OptionVisitor& v) {
    TargetGroup<AutoencoderKlConfig> autoencoder_def(autoencoder);
    TargetGroup<DiffusionUnetConfig> diffusion_unet_def(diffusion_unet);
    v.visit(Option("spatial_dims", "number of spatial dimensions").in(3, 3), spatial_dims);
    v.visit(Option("image_channels", "channels of the image").in(1, 4096), image_channels);
    v.visit(Option("latent_channels", "channels of the latent").in(1, 4096).needed(), latent_channels);
    v.visit(Option("include_body_region", "for the references of the networks"), include_body_region);
    v.visit(Option("autoencoder_def", "the autoencoder").needed(), autoencoder_def);
    v.visit(Option("diffusion_unet_def", "the diffusion U-Net").needed(), diffusion_unet_def);
    v.visit(Option("controlnet_def", "the ControlNet"), controlnet_def);
    v.visit(Option("noise_scheduler", "the scheduler that the model was trained with").needed(), noise_scheduler);
    v.visit(Option("mask_generation_autoencoder_def", "the autoencoder of masks"), mask_generation_autoencoder_def);
    v.visit(Option("mask_generation_diffusion_def", "the diffusion U-Net of masks"), mask_generation_diffusion_def);
    v.visit(Option("mask_generation_noise_scheduler", "the scheduler of the mask model"),
            mask_generation_noise_scheduler);
    v.visit(Option("mask_generation_latent_shape", "latent of a mask").in(1, 65536).measured_in("channels, x y z"),
            mask_generation_latent_shape);
    v.visit(Option("mask_generation_scale_factor", "scale of the mask latent"), mask_generation_scale_factor);
}

void read_network(NetworkConfig& network, const Node& map, const std::string& prefix, const ReadContext& context,
                  const std::set<std::string>& accepted) {
    const std::size_t before = context.problems->size();
    read_options(network, map, prefix, context, accepted);
    if (context.problems->size() != before) return;
    const std::string start = prefix.empty() ? "" : prefix + ".";
    check(network.autoencoder, *map.find("autoencoder_def"), start + "autoencoder_def", *context.problems);
    check(network.diffusion_unet, *map.find("diffusion_unet_def"), start + "diffusion_unet_def", *context.problems);
    read_optional(network.controlnet, network.controlnet_def, start + "controlnet_def", context);
    read_optional(network.mask_generation_autoencoder, network.mask_generation_autoencoder_def,
                  start + "mask_generation_autoencoder_def", context);
    read_optional(network.mask_generation_diffusion, network.mask_generation_diffusion_def,
                  start + "mask_generation_diffusion_def", context);
}

NetworkConfig load_network_config(const std::filesystem::path& file) {
    Node root = load_config(file);
    if (root.find("autoencoder_def") == nullptr) return load_run_config({file, {}, {}}).network;
    Problems problems;
    const auto referenced = resolve_references(root, problems);
    NetworkConfig network;
    read_network(network, root, "", {&problems, nullptr, {}}, referenced);
    problems.throw_if_any();
    return network;
}

Node raw_node(const RawOptions& options) {
    const Node* node = std::any_cast<Node>(&options.tree);
    return node == nullptr ? make_map() : *node;
}

}  // namespace voldiff

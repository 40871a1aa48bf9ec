// A run config, the record of a run, or MAISI's network file: the networks that it describes.
#include "app/commands/inspect.h"
#include "core/error.h"
#include "core/networks/autoencoder_kl.h"
#include "core/networks/diffusion_unet.h"
#include "io/config/print.h"
#include "io/config/references.h"
#include "io/config/run_config.h"
#include "io/config/weight_path.h"
#include "io/config/yaml.h"
#include "io/file.h"

#include <sstream>

namespace voldiff {

namespace {

bool recognises(const std::filesystem::path& file) {
    const std::string kind = extension(file);
    return kind == ".yaml" || kind == ".yml" || kind == ".json";
}

// Names and shapes as a checkpoint must have them; no weights are needed to say so.
Report describe_network(const std::string& target, const Module& network) {
    Report tensors = Report::array();
    std::int64_t parameters = 0;
    for (const auto& [name, tensor] : network.named_tensors()) {
        tensors.push_back({{"name", name}, {"shape", tensor->sizes().vec()}});
        parameters += tensor->numel();
    }
    return {{"class", target}, {"parameters", parameters}, {"tensors", tensors}};
}

Report describe_networks(const NetworkConfig& network) {
    return {{"autoencoder", describe_network(network.autoencoder.target, AutoencoderKl(network.autoencoder))},
            {"diffusion_unet", describe_network(network.diffusion_unet.target, DiffusionUnet(network.diffusion_unet))}};
}

// Where each weight file is, or what is wrong with that.
Report find_weights(const RunConfig& run) {
    Report found;
    for (const char* key : {"autoencoder", "diffusion_unet"}) {
        try {
            found[key] = resolve_weight(run, key).string();
        } catch (const Error& error) {
            found[key] = std::string("missing: ") + error.what();
        }
    }
    return found;
}

Report describe(const std::filesystem::path& file) {
    Node root = load_yaml(file);
    if (root.find("autoencoder_def") == nullptr) {
        RunConfig run = load_run_config({file, {}, {}});
        return {{"networks", describe_networks(run.network)},
                {"weights", find_weights(run)},
                {"config", to_json(to_node(run, run.origins))}};
    }
    Problems problems;
    const auto referenced = resolve_references(root, problems);
    NetworkConfig network;
    read_network(network, root, "", {&problems, nullptr, {}}, referenced);
    problems.throw_if_any();
    return {{"networks", describe_networks(network)}, {"config", to_json(to_node(network))}};
}

void print(const Report& report, bool all, std::ostream& out) {
    for (const auto& [key, network] : report["networks"].items()) {
        print_field(out, key, network["class"].get<std::string>());
        print_field(out, "",
                    with_thousands(network["parameters"].get<std::uint64_t>()) + " parameters in " +
                        std::to_string(network["tensors"].size()) + " tensors");
        if (report.contains("weights")) print_field(out, "", report["weights"][key].get<std::string>());
        if (!all) continue;
        for (const Report& tensor : network["tensors"]) {
            out << "  " << tensor["name"].get<std::string>() << "  [" << join_values(tensor["shape"]) << "]\n";
        }
    }
}

}  // namespace

Inspector config_inspector() { return {"config", ".yaml, .json", recognises, describe, print}; }

}  // namespace voldiff

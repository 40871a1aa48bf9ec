// A run config, the record of a run, or MAISI's network file: the networks that it describes.
#include "app/commands/inspect.h"
#include "core/error.h"
#include "io/config/print.h"
#include "io/config/run_config.h"
#include "io/config/weight_path.h"
#include "io/config/yaml.h"
#include "io/file.h"
#include "io/model/model.h"

#include <sstream>

namespace voldiff {

namespace {

bool recognises(const std::filesystem::path& file) {
    const std::string kind = extension(file);
    return kind == ".yaml" || kind == ".yml" || kind == ".json";
}

// Names and shapes as a checkpoint must have them, and how the attention is built; no weights are needed to say so.
Report describe_network(const Network& network) {
    Report tensors = Report::array();
    std::int64_t parameters = 0;
    for (const auto& [name, tensor] : network.named_tensors()) {
        tensors.push_back({{"name", name}, {"shape", tensor->sizes().vec()}});
        parameters += tensor->numel();
    }
    return {{"class", network.class_name()},
            {"parameters", parameters},
            {"attention_blocks", attention_record(network)},
            {"tensors", tensors}};
}

Report describe_networks(const NetworkConfig& network) {
    Report networks = Report::object();
    for (const std::string& key : network_names(network)) {
        networks[key] = describe_network(*make_network(network, key));
    }
    return networks;
}

// Where each weight file is, or what is wrong with that.
Report find_weights(const RunConfig& run) {
    Report found;
    for (const std::string& key : network_names(run.network)) {
        try {
            found[key] = resolve_weight(run, key).string();
        } catch (const Error& error) {
            found[key] = std::string("missing: ") + error.what();
        }
    }
    return found;
}

Report describe(const std::filesystem::path& file) {
    if (load_yaml(file).find("autoencoder_def") != nullptr) {
        NetworkConfig network = load_network_config(file);
        return {{"networks", describe_networks(network)}, {"config", to_json(to_node(network))}};
    }
    RunConfig run = load_run_config({file, {}, {}});
    return {{"networks", describe_networks(run.network)},
            {"weights", find_weights(run)},
            {"config", to_json(to_node(run, run.origins))}};
}

void print_structure(const Report& network, std::ostream& out) {
    for (const Report& block : network["attention_blocks"]) {
        out << "  " << block["path"].get<std::string>();
        for (const auto& [option, value] : block.items()) {
            if (option != "path") out << "  " << option << ": " << (value.is_null() ? "-" : value.dump());
        }
        out << "\n";
    }
}

void print(const Report& report, const InspectDetail& detail, std::ostream& out) {
    for (const auto& [key, network] : report["networks"].items()) {
        print_field(out, key, network["class"].get<std::string>());
        print_field(out, "",
                    with_thousands(network["parameters"].get<std::uint64_t>()) + " parameters in " +
                        std::to_string(network["tensors"].size()) + " tensors");
        if (report.contains("weights")) print_field(out, "", report["weights"][key].get<std::string>());
        if (detail.structure) print_structure(network, out);
        if (!detail.all) continue;
        for (const Report& tensor : network["tensors"]) {
            out << "  " << tensor["name"].get<std::string>() << "  [" << join_values(tensor["shape"]) << "]\n";
        }
    }
}

}  // namespace

Inspector config_inspector() { return {"config", ".yaml, .json", recognises, describe, print}; }

}  // namespace voldiff

// Writes a network with its weights as a TorchScript module.
#include "app/commands/commands.h"
#include "app/set_option.h"
#include "app/table.h"
#include "core/error.h"
#include "core/networks/roles.h"
#include "core/torchscript/script_module.h"
#include "core/torchscript/scripted_networks.h"
#include "io/checkpoint/torchscript_file.h"
#include "io/config/scalar.h"
#include "io/file.h"
#include "io/model/model.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <CLI/CLI.hpp>

#include <memory>

namespace voldiff {

namespace {

struct ExportFlags {
    std::filesystem::path config;
    std::string network;
    std::filesystem::path out;
    std::string block;
    std::string models;
    std::vector<std::string> sets;
    bool check = false;
    bool force = false;
    bool json = false;
};

// The part of `module` with this key path, as "middle_block.attention".
const Module& find_block(const Module& module, const std::string& path) {
    if (path.empty()) return module;
    std::string known;
    for (const auto& [key, child] : module.children()) {
        if (key == path) return *child;
        if (path.compare(0, key.size() + 1, key + ".") == 0) return find_block(*child, path.substr(key.size() + 1));
        known += (known.empty() ? "" : ", ") + key;
    }
    throw Error(ErrorCode::usage, "--block: there is no '" + path + "'; at its place are " + known);
}

std::vector<at::Tensor> run_exported(const std::filesystem::path& file, const Network& network) {
    const auto options = at::TensorOptions().dtype(at::kFloat);
    std::ifstream archive = open_torchscript_module(file);
    if (const auto* own = dynamic_cast<const Autoencoder*>(&network)) {
        return probe(*load_scripted_autoencoder(archive, own->config(), options), 0);
    }
    if (const auto* own = dynamic_cast<const Denoiser*>(&network)) {
        return probe(*load_scripted_denoiser(archive, own->config(), options), 0);
    }
    return probe(*load_scripted_controller(archive, dynamic_cast<const Controller&>(network).config(), options), 0);
}

Report check(const std::filesystem::path& file, Network& network) {
    const auto expected = network.probe_outputs(0);
    const auto got = run_exported(file, network);
    double largest = 0;
    double scale = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        largest = std::max(largest, (expected[i] - got[i]).abs().max().item<double>());
        scale = std::max(scale, expected[i].abs().max().item<double>());
    }
    return {{"largest_difference", largest}, {"largest_output", scale}};
}

void check_flags(const ExportFlags& flags) {
    if (!is_torchscript_module(flags.out)) {
        throw Error(ErrorCode::usage, flags.out.string() +
                                          ": expected a name that ends in .ts, by which voldiff knows "
                                          "modules that are to be run");
    }
    std::error_code ignored;
    if (std::filesystem::exists(flags.out, ignored) && !flags.force) {
        throw Error(ErrorCode::io, flags.out.string() + ": exists already; --force replaces it");
    }
    if (flags.check && !flags.block.empty()) {
        throw Error(ErrorCode::usage, "--check runs a whole network, and --block exports a part of one");
    }
}

void export_torchscript(const ExportFlags& flags, Context& context) {
    check_flags(flags);
    const RunConfig run = load_run_config({flags.config, set_overrides(flags.sets, "--set"), flags.models});
    const LoadedNetwork loaded = load_network(run, flags.network);
    for (const LoadNote& note : loaded.notes) {
        note.warning ? context.log.warn(note.text) : context.log.info("note: " + note.text);
    }
    std::map<std::string, std::string> extra;
    if (loaded.scale_factor && flags.block.empty()) extra["scale_factor"] = format_number(*loaded.scale_factor);
    AtomicFile file(flags.out);
    {
        std::ofstream archive(file.temporary(), std::ios::binary);
        save_torchscript(find_block(*loaded.network, flags.block), archive, extra);
    }
    Report report = {{"file", flags.out.string()}, {"network", flags.network}};
    if (!flags.block.empty()) report["block"] = flags.block;
    if (flags.check) report.update(check(file.temporary(), *loaded.network));
    file.commit();
    if (flags.json) return print_json(context.out, report);
    for (const auto& [name, value] : report.items()) {
        print_field(context.out, name, value.is_string() ? value.get<std::string>() : short_number(value));
    }
}

}  // namespace

Action add_export_torchscript(CLI::App& parser) {
    const auto flags = std::make_shared<ExportFlags>();
    parser.add_option("CONFIG", flags->config, "run config")->required();
    parser.add_option("NETWORK", flags->network, "key of its weights, as diffusion_unet")->required();
    parser.add_option("OUT", flags->out, "the module, .ts")->required();
    parser.add_option("--block", flags->block, "only this part, as middle_block.attention");
    parser.add_option("--models", flags->models, "folder of the weights");
    add_set_option(parser, "--set", flags->sets, "any option by its key path; repeatable");
    parser.add_flag("--check", flags->check, "run the module and the network and print the largest difference");
    parser.add_flag("-f,--force", flags->force, "replace OUT");
    parser.add_flag("--json", flags->json, "print JSON")->group("Output");
    return [flags](Context& context) { export_torchscript(*flags, context); };
}

}  // namespace voldiff

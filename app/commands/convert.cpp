// Rewrites a checkpoint and says what it did.
#include "core/state_dict/convert.h"
#include "app/commands/commands.h"
#include "app/table.h"
#include "core/error.h"
#include "core/state_dict/load.h"
#include "io/checkpoint/checkpoint.h"
#include "io/file.h"
#include "io/model/model.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <CLI/CLI.hpp>

#include <memory>

namespace voldiff {

namespace {

struct ConvertFlags {
    std::filesystem::path in;
    std::filesystem::path out;
    std::string layout;
    std::string dtype;
    std::filesystem::path network_file;
    std::string network_name;
    bool fuse = false;
    bool split = false;
    bool drop = false;
    bool keep = false;
    bool identity = false;
    bool check = false;
    bool force = false;
    bool json = false;
};

const std::map<std::string, at::ScalarType>& dtypes() {
    static const std::map<std::string, at::ScalarType> table = {
        {"float32", at::kFloat}, {"float16", at::kHalf}, {"bfloat16", at::kBFloat16}, {"float64", at::kDouble}};
    return table;
}

ConvertOptions options_of(const ConvertFlags& flags) {
    ConvertOptions options;
    options.layout = flags.layout;
    if (flags.fuse) options.qkv = QkvForm::fused;
    if (flags.split) options.qkv = QkvForm::separate;
    if (flags.drop) options.projection = ProjectionForm::drop;
    if (flags.keep) options.projection = ProjectionForm::keep;
    if (flags.identity) options.projection = ProjectionForm::identity;
    if (!flags.dtype.empty()) options.type = dtypes().at(flags.dtype);
    return options;
}

std::unique_ptr<Network> network_of(const ConvertFlags& flags) {
    const bool file = !flags.network_file.empty();
    if (file != !flags.network_name.empty()) {
        throw Error(ErrorCode::usage, "--network and --as go together: a network file, and which of its networks");
    }
    if (flags.check && !file) {
        throw Error(ErrorCode::usage, "--check runs a network; say which by --network FILE --as NAME");
    }
    return file ? make_network(load_network_config(flags.network_file), flags.network_name) : nullptr;
}

// U-Nets and ControlNets tell their layout by their names; autoencoders do not.
std::vector<KeyLayout> layouts_of(const Network* network, const StateDict& weights) {
    if (network != nullptr) return network->layouts();
    for (const auto& item : weights) {
        if (item.key().find("decoder.blocks.") != std::string::npos) return {native_layout()};
    }
    return unet_layouts();
}

std::vector<at::Tensor> outputs_of(const ConvertFlags& flags, const StateDict& weights, const std::string& whose) {
    const std::unique_ptr<Network> network = network_of(flags);
    try {
        load_state_dict(*network, weights, {}, {network->layouts()});
    } catch (const Error& error) {
        throw error.within("--check: " + whose);
    }
    return network->probe_outputs(0);
}

// The largest difference of the outputs, and the largest output.
Report compare_outputs(const ConvertFlags& flags, const StateDict& in, const StateDict& out) {
    const std::vector<at::Tensor> before = outputs_of(flags, in, flags.in.string());
    const std::vector<at::Tensor> after = outputs_of(flags, out, flags.out.string() + " (not written)");
    double largest = 0;
    double scale = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
        largest = std::max(largest, (before[i] - after[i]).abs().max().item<double>());
        scale = std::max(scale, before[i].abs().max().item<double>());
    }
    return {{"largest_difference", largest}, {"largest_output", scale}};
}

// What was written is what was meant.
void check_file(const std::filesystem::path& file, const StateDict& expected) {
    const StateDict found = read_checkpoint(file).weights;
    for (const auto& item : expected) {
        const at::Tensor* tensor = found.find(item.key());
        if (tensor != nullptr && tensor->scalar_type() == item.value().scalar_type() && tensor->equal(item.value())) {
            continue;
        }
        throw Error(ErrorCode::internal, file.string() + ": '" + item.key() + "' reads back as another tensor");
    }
}

void check_paths(const ConvertFlags& flags) {
    std::error_code ignored;
    if (std::filesystem::equivalent(flags.in, flags.out, ignored)) {
        throw Error(ErrorCode::usage, flags.out.string() + ": is the file to convert itself; name another one");
    }
    if (std::filesystem::exists(flags.out, ignored) && !flags.force) {
        throw Error(ErrorCode::io, flags.out.string() + ": exists already; --force replaces it");
    }
}

Report report_of(const ConvertFlags& flags, const Conversion& conversion) {
    Report changes = Report::array();
    for (const Change& change : conversion.changes) {
        changes.push_back({{"what", change.what}, {"count", change.names.size()}, {"first", change.names.front()}});
    }
    return {{"file", flags.out.string()}, {"from", conversion.from},         {"to", conversion.to},
            {"changes", changes},         {"lossless", conversion.lossless}, {"tensors", conversion.weights.size()}};
}

void print(const Report& report, std::ostream& out) {
    print_field(out, "file", report["file"]);
    print_field(out, "layout", report["from"].get<std::string>() + " -> " + report["to"].get<std::string>());
    print_field(out, "tensors", with_thousands(report["tensors"]));
    for (const Report& change : report["changes"]) {
        print_field(out, with_thousands(change["count"]), change["what"].get<std::string>());
    }
    print_field(out, "lossless", report["lossless"].get<bool>() ? "yes" : "no");
    if (!report.contains("largest_difference")) return;
    print_field(out, "check",
                "largest difference " + short_number(report["largest_difference"]) + " of outputs up to " +
                    short_number(report["largest_output"]));
}

void convert(const ConvertFlags& flags, Context& context) {
    check_paths(flags);
    const std::unique_ptr<Network> network = network_of(flags);
    Checkpoint checkpoint = read_checkpoint(flags.in);
    Conversion conversion;
    try {
        conversion = convert_state_dict(checkpoint.weights, network.get(),
                                        layouts_of(network.get(), checkpoint.weights), options_of(flags));
    } catch (const Error& error) {
        throw error.within(flags.in.string());
    }
    const Report check =
        flags.check ? compare_outputs(flags, checkpoint.weights, conversion.weights) : Report::object();
    checkpoint.weights = conversion.weights;
    for (const Change& change : conversion.changes) {
        if (change.suspicious) context.log.warn(std::to_string(change.names.size()) + " " + change.what);
    }
    for (const std::string& name : write_checkpoint(flags.out, checkpoint)) {
        conversion.lossless = false;
        context.log.warn("'" + printable(name) + "' beside the weights is left out: safetensors has no place for it");
    }
    check_file(flags.out, conversion.weights);
    Report report = report_of(flags, conversion);
    report.update(check);
    flags.json ? print_json(context.out, report) : print(report, context.out);
}

void add_choices(CLI::App& parser, ConvertFlags& flags) {
    std::vector<std::string> names;
    for (const auto& [name, type] : dtypes()) names.push_back(name);
    parser.add_option("--layout", flags.layout, "names of the result; without it they stay as they are")
        ->check(CLI::IsMember(layout_names()));
    auto* fuse = parser.add_flag("--fuse-qkv", flags.fuse, "one qkv in place of to_q, to_k, to_v (exact)");
    parser.add_flag("--split-qkv", flags.split, "to_q, to_k, to_v in place of qkv (exact)")->excludes(fuse);
    auto* drop = parser.add_flag("--drop-proj", flags.drop, "leave the attention's output projections out");
    auto* keep = parser.add_flag("--keep-proj", flags.keep, "keep them where one layout applies them and one does not");
    drop->excludes(keep);
    parser.add_flag("--identity-proj", flags.identity, "put in projections that change nothing")
        ->excludes(drop)
        ->excludes(keep);
    parser.add_option("--dtype", flags.dtype, "type of the floating-point tensors")->check(CLI::IsMember(names));
}

}  // namespace

Action add_convert(CLI::App& parser) {
    const auto flags = std::make_shared<ConvertFlags>();
    parser.add_option("IN", flags->in, "a checkpoint of any format")->required();
    parser.add_option("OUT", flags->out, ".safetensors, .pt, .pth or .ckpt")->required();
    add_choices(parser, *flags);
    parser.add_option("--network", flags->network_file, "network file or run config that the weights belong to");
    parser.add_option("--as", flags->network_name, "which of its networks, as autoencoder");
    parser.add_flag("--check", flags->check, "run both files through that network and print the largest difference");
    parser.add_flag("-f,--force", flags->force, "replace OUT");
    parser.add_flag("--json", flags->json, "print JSON")->group("Output");
    return [flags](Context& context) { convert(*flags, context); };
}

}  // namespace voldiff

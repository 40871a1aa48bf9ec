// voldiff generate: volumes from a run config, from the record of an earlier run, or from MAISI's own files.
#include "app/commands/commands.h"
#include "app/generation.h"
#include "app/set_option.h"
#include "core/error.h"
#include "io/config/maisi_config.h"
#include "io/config/print.h"
#include "io/file.h"

#include <algorithm>

namespace voldiff {

namespace {

// A flag of its own for an option that is often changed; help, unit, range and default are the option's.
struct NamedFlag {
    const char* flag;
    const char* path;
    bool is_path = false;  // taken as it is, not as YAML
};

constexpr NamedFlag named_flags[] = {
    {"--seed", "sampling.seed"},      {"--count", "sampling.count"},
    {"--steps", "sampling.steps"},    {"--guidance-scale", "sampling.guidance_scale"},
    {"--size", "image.size"},         {"--spacing", "image.spacing"},
    {"--modality", "image.modality"}, {"--mask", "mask.file", true},
    {"--decode", "decode.method"},    {"--preview", "output.preview"},
    {"--device", "runtime.device"},   {"--precision", "runtime.precision"},
    {"--threads", "runtime.threads"}, {"--exact-conv", "runtime.exact_conv"},
};

struct GenerateOptions {
    std::string config;
    MaisiFiles maisi;
    std::filesystem::path from_mask;  // -i, in the place of maisi.inference
    std::string output;
    std::string models;
    std::vector<std::string> sets;
    std::map<std::string, std::vector<std::string>> flags;  // key path -> words
    bool force = false;
    bool dry_run = false;
    bool print_config = false;
    bool json = false;
};

std::string flag_help(const OptionRow& row) {
    std::string help = row.help;
    if (!row.unit.empty()) help += " [" + row.unit + "]";
    if (!row.range.empty()) help += " (" + row.range + ")";
    return help + ", default " + row.default_value;
}

void add_named_flags(CLI::App& parser, GenerateOptions& options) {
    RunConfig defaults;
    const std::vector<OptionRow> rows = option_rows(defaults);
    for (const NamedFlag& flag : named_flags) {
        const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.path == flag.path; });
        if (row == rows.end()) throw Error(ErrorCode::internal, std::string("no option ") + flag.path);
        CLI::Option* option = parser.add_option(flag.flag, options.flags[flag.path], flag_help(*row));
        const bool three = row->type.rfind("3 ", 0) == 0;
        option->group("Run")->type_name(three ? "X Y Z" : row->type)->expected(three ? 3 : 1);
    }
}

// Words of the command line as YAML.
std::string value_of(const std::vector<std::string>& words) {
    if (words.size() == 1) return words.front();
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "[" : ", ") + word;
    return list + "]";
}

void add_output(const std::string& output, std::vector<Override>& overrides) {
    const std::filesystem::path path(output);
    const std::string format = extension(path);
    const std::string name = path.filename().string();
    if (format.empty() || name.size() <= format.size()) {
        throw Error(ErrorCode::usage, "--output is '" + output + "', expected a file name like volume.nii.gz");
    }
    const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
    overrides.push_back({"output.directory", folder, "--output", true});
    overrides.push_back({"output.name", name.substr(0, name.size() - format.size()), "--output", true});
    overrides.push_back({"output.format", format, "--output", true});
}

// --set before the flags that have a name.
std::vector<Override> overrides_of(const GenerateOptions& options) {
    std::vector<Override> overrides = set_overrides(options.sets, "--set");
    for (const NamedFlag& flag : named_flags) {
        const std::vector<std::string>& words = options.flags.at(flag.path);
        if (!words.empty()) overrides.push_back({flag.path, value_of(words), flag.flag, flag.is_path});
    }
    if (!options.output.empty()) add_output(options.output, overrides);
    return overrides;
}

RunConfig load(const GenerateOptions& options) {
    const std::vector<Override> overrides = overrides_of(options);
    MaisiFiles maisi = options.maisi;
    if (!options.from_mask.empty()) {
        if (!maisi.inference.empty())
            throw Error(ErrorCode::usage, "-c and -i exclude each other: image only, or from a mask");
        maisi.inference = options.from_mask;
        maisi.with_controlnet = true;
    }
    const bool any = !maisi.network.empty() || !maisi.environment.empty() || !maisi.inference.empty();
    const bool all = !maisi.network.empty() && !maisi.environment.empty() && !maisi.inference.empty();
    if (any && (!all || !options.config.empty())) {
        throw Error(ErrorCode::usage,
                    "expected all of -t, -e and -c (or -i) and no config file, or a config file and none of them");
    }
    if (any) return load_maisi_config(maisi, overrides);
    if (options.config.empty()) {
        throw Error(ErrorCode::usage, "generate: no config file is given; try voldiff generate configs/demo.yaml");
    }
    return load_run_config({options.config, overrides, options.models});
}

void run(const GenerateOptions& options, Context& context) {
    RunConfig config = load(options);
    if (options.print_config) {
        const Node tree = to_node(config, config.origins);
        if (options.json) {
            context.out << to_json(tree).dump(2) << "\n";
        } else {
            context.out << to_yaml(tree);
        }
        return;
    }
    std::vector<OutputFiles> outputs = plan_outputs(config, options.force);
    Generation generation(std::move(config), std::move(outputs), context, options.force);
    const nlohmann::ordered_json result = options.dry_run ? generation.plan() : generation.make_all();
    if (options.json || options.dry_run) {
        context.out << result.dump(2) << "\n";
        return;
    }
    for (const auto& made : result) context.out << made["volume"].get<std::string>() << "\n";
}

}  // namespace

Action add_generate(CLI::App& parser) {
    const auto options = std::make_shared<GenerateOptions>();
    parser.add_option("config", options->config, "run config (YAML), or the record (JSON) of an earlier run")
        ->type_name("FILE");
    add_named_flags(parser, *options);
    add_set_option(parser, "--set", options->sets, "any option by its key path, as sampling.steps=50; repeatable");
    parser
        .add_option("--models", options->models, "folder of the weight files, after the config's own; $VOLDIFF_MODELS")
        ->group("Run")
        ->type_name("DIR");
    parser.add_option("-t,--network", options->maisi.network, "MAISI's network file")
        ->group("MAISI")
        ->type_name("JSON");
    parser.add_option("-e,--environment", options->maisi.environment, "MAISI's environment file")
        ->group("MAISI")
        ->type_name("JSON");
    parser.add_option("-c,--inference", options->maisi.inference, "MAISI's inference file, image only")
        ->group("MAISI")
        ->type_name("JSON");
    parser
        .add_option("-i,--mask-inference", options->from_mask,
                    "MAISI's inference file for images from a mask, with --mask")
        ->group("MAISI")
        ->type_name("JSON");
    parser.add_option("-o,--output", options->output, "the volume's file; its extension is the format")
        ->group("Output")
        ->type_name("FILE");
    parser
        .add_flag("--force", options->force, "replace files that exist, and go beyond what the model was trained for")
        ->group("Output");
    parser.add_flag("--dry-run", options->dry_run, "check everything, say what would be made, make nothing")
        ->group("Output");
    parser
        .add_flag("--print-config", options->print_config, "print the effective config with the origin of each value")
        ->group("Output");
    parser.add_flag("--json", options->json, "print the result as JSON")->group("Output");
    return [options](Context& context) { run(*options, context); };
}

}  // namespace voldiff

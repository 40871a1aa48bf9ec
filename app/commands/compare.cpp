// voldiff compare: two volumes, or two run configs on the same seeds, in numbers and as pictures.
#include "app/ablation.h"
#include "app/commands/commands.h"
#include "app/compared_runs.h"
#include "app/comparison.h"
#include "app/comparison_table.h"
#include "app/set_option.h"
#include "core/error.h"
#include "core/pipeline/intensity.h"
#include "core/text.h"
#include "io/config/modality.h"
#include "io/config/scalar.h"
#include "io/file.h"
#include "io/system/system.h"

#include <ATen/Parallel.h>

#include <memory>
#include <system_error>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

struct CompareOptions {
    std::vector<std::string> inputs;
    RunsRequest runs;
    ComparisonFolder folder;
    std::string modality;
    std::optional<double> data_range;
    std::optional<double> difference_window;
    std::string labels;
    bool json = false;
};

bool is_config(const fs::path& file) {
    const std::string kind = extension(file);
    return kind == ".yaml" || kind == ".yml" || kind == ".json";
}

void check_input(const fs::path& file) {
    std::error_code ignored;
    const std::string what = "cannot compare '" + file.string() + "': ";
    if (!fs::exists(file, ignored)) throw Error(ErrorCode::io, what + "there is no such file");
    if (fs::is_directory(file, ignored)) throw Error(ErrorCode::io, what + "it is a folder");
    if (is_config(file) || is_volume_format(extension(file))) return;
    throw Error(ErrorCode::io,
                what + "expected a volume (" + join(volume_formats()) + ") or a run config (.yaml, .json)");
}

ComparisonSettings settings_of(const CompareOptions& options, bool is_mr) {
    ComparisonSettings settings;
    settings.is_mr = is_mr;
    settings.data_range = options.data_range;
    settings.difference_window = options.difference_window;
    if (!options.labels.empty()) settings.labels = read_label_map(options.labels);
    return settings;
}

std::string stem(const std::string& file) {
    const std::string name = fs::path(file).filename().string();
    return name.substr(0, name.size() - extension(file).size());
}

// Two volumes.
Report compare_volumes(const CompareOptions& options, Context& context) {
    if (options.inputs.size() != 2 || options.runs.any()) {
        throw Error(ErrorCode::usage,
                    "expected two volumes, and none of --seeds, --ablate, --set, --set-b, --models: these are for run "
                    "configs");
    }
    const std::string& a = options.inputs[0];
    const std::string& b = options.inputs[1];
    const fs::path picture = options.folder.path / (stem(a) + "-" + stem(b) + ".png");
    options.folder.check_new(picture);
    prepare_folder(picture);
    const bool is_mr = !options.modality.empty() && modality_code(options.modality) >= first_mr_modality;
    Report report = {{"a", a}, {"b", b}};
    report.update(compare_files({{std::nullopt, a, b, picture}}, settings_of(options, is_mr), context));
    return report;
}

// Two run configs on the same seeds.
Report compare_runs(const CompareOptions& options, Context& context) {
    if (!options.modality.empty()) {
        throw Error(ErrorCode::usage,
                    "--modality is for volumes; a run config says it itself, see --set image.modality");
    }
    std::vector<Side> sides = load_sides(options.inputs, options.runs, options.folder);
    Report report = {
        {"a", sides[0].name}, {"b", sides[1].name}, {"differences", config_differences(sides[0].run, sides[1].run)}};
    const std::vector<ComparedFiles> pairs = plan_pairs(options.runs, options.folder, sides);
    if (!options.labels.empty()) {  // read again after the runs, which need the memory
        const ImageSection& image = sides[0].run.image;
        check_same_grid({sides[0].name, image.size, diagonal_affine(image.spacing)},
                        read_label_map(options.labels).grid);
    }
    generate_sides(sides, context);
    report.update(compare_files(pairs, settings_of(options, makes_mr(sides[0].run)), context));
    return report;
}

void print(std::ostream& out, const Report& report, const CompareOptions& options) {
    print_field(out, "A", report["a"]);
    print_field(out, "B", report["b"]);
    if (report.contains("differences")) {
        for (const Report& each : report["differences"])
            print_field(
                out, "differs",
                each["key"].get<std::string>() + ": " + each["a"].dump() + " in A, " + each["b"].dump() + " in B");
    }
    print_field(out, "files", options.folder.path.string());
    out << "\n";
    print_comparison(out, report);
}

void compare(const CompareOptions& options, Context& context) {
    for (const std::string& input : options.inputs) check_input(input);
    const bool configs = is_config(options.inputs.front());
    if (configs != is_config(options.inputs.back())) {
        throw Error(ErrorCode::usage, "expected two volumes or two run configs, found one of each");
    }
    if (!configs) at::set_num_threads(core_count());
    const Report report = configs ? compare_runs(options, context) : compare_volumes(options, context);
    if (options.json) return print_json(context.out, report);
    print(context.out, report, options);
}

void add_run_options(CLI::App& parser, CompareOptions& options) {
    parser.add_option("--seeds", options.runs.seeds, "seeds of both, as 0..7 or 0,3,5; default: those of A")
        ->group("Run configs")
        ->type_name("LIST");
    parser
        .add_option("--ablate", options.runs.ablate,
                    "B is A with this true-or-false option of its network flipped, as diffusion_unet_def.include_fc; "
                    "repeatable")
        ->group("Run configs")
        ->type_name("KEY")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    add_set_option(parser, "--set", options.runs.sets, "an option of both, as sampling.steps=50; repeatable")
        ->group("Run configs");
    add_set_option(parser, "--set-b", options.runs.sets_b, "an option of B alone; repeatable")->group("Run configs");
    parser.add_option("--models", options.runs.models, "folder of the weight files, as in generate")
        ->group("Run configs")
        ->type_name("DIR");
}

// CLI11's own check lets NaN through.
CLI::Validator above_zero() {
    constexpr double most = 1e9;
    return {[](const std::string& text) -> std::string {
                const auto number = parse_number(text);
                if (number && *number > 0 && *number <= most) return "";
                return "expected a number above 0 and up to 1e9, found '" + text + "'";
            },
            ""};
}

void add_metric_options(CLI::App& parser, CompareOptions& options) {
    parser.add_option("--labels", options.labels, "label map on the same voxels, for the median of every label")
        ->group("Metrics")
        ->type_name("FILE");
    parser
        .add_option("--data-range", options.data_range,
                    "largest minus least possible value, for PSNR and SSIM; default 2000 HU, for MR that of volume A")
        ->group("Metrics")
        ->type_name("NUMBER")
        ->check(above_zero());
    parser
        .add_option("--difference-window", options.difference_window,
                    "difference that is full red or blue in the picture; default 200 HU, for MR half its window")
        ->group("Metrics")
        ->type_name("NUMBER")
        ->check(above_zero());
    parser.add_option("--modality", options.modality, "of two volumes, as mri_t1; default ct")
        ->group("Metrics")
        ->type_name("NAME");
}

}  // namespace

Action add_compare(CLI::App& parser) {
    const auto options = std::make_shared<CompareOptions>();
    parser.add_option("FILES", options->inputs, "two volumes, two run configs, or one and what B does differently")
        ->required()
        ->expected(1, 2);
    add_run_options(parser, *options);
    add_metric_options(parser, *options);
    parser.add_option("--output", options->folder.path, "folder of the pictures, and of the volumes of runs")
        ->group("Output")
        ->type_name("DIR")
        ->capture_default_str();
    parser.add_flag("--force", options->folder.force, "replace files that exist")->group("Output");
    parser.add_flag("--json", options->json, "print the result as JSON, where null is infinite or not known")
        ->group("Output");
    return [options](Context& context) { compare(*options, context); };
}

}  // namespace voldiff

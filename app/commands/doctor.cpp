#include "app/commands/commands.h"
#include "app/table.h"
#include "core/schedulers/scheduler.h"
#include "io/config/run_config.h"
#include "io/config/weight_path.h"
#include "io/file.h"
#include "io/system/system.h"
#include "io/volume/volume.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <memory>
#include <set>
#include <sstream>

namespace voldiff {

namespace {

// LibTorch's own account of itself is a list of lines " - NAME: VALUE"; the value behind `name`.
std::string torch_config(const std::string& name) {
    std::istringstream stream(at::show_config());
    for (std::string line; std::getline(stream, line);) {
        const std::size_t at = line.find(name);
        if (at != std::string::npos) return line.substr(at + name.size());
    }
    return "unknown";
}

// Which of the configs that come with the program have all their weights.
Report examine_models(const std::filesystem::path& models) {
    Report list = Report::array();
    std::error_code ignored;
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(data_directory(), ignored)) {
        if (extension(entry.path()) == ".yaml") files.insert(entry.path());
    }
    for (const auto& file : files) {
        RunConfig run = load_run_config({file, {}, models});
        const std::vector<std::string> missing = missing_weights(run);
        list.push_back({{"config", file.string()}, {"ready", missing.empty()}, {"missing", missing}});
    }
    return list;
}

Report scheduler_names() {
    Report names = Report::array();
    for (const SchedulerEntry& entry : scheduler_table()) names.push_back(entry.name);
    return names;
}

Report examine(const std::filesystem::path& models) {
    at::set_num_threads(core_count());  // as a run does
    return {{"voldiff", VOLDIFF_VERSION},
            {"libtorch", TORCH_VERSION},
            {"itk", itk_version()},
            {"cpu",
             {{"name", cpu_name()},
              {"instruction_set", torch_config("CPU capability usage: ")},
              {"cores", core_count()},
              {"threads", at::get_num_threads()}}},
            {"memory", {{"total_bytes", total_memory()}, {"available_bytes", available_memory()}}},
            {"cuda", at::hasCUDA()},
            {"data_directory", data_directory().string()},
            {"data_found", std::filesystem::is_directory(data_directory())},
            {"schedulers", scheduler_names()},
            {"models", examine_models(models)}};
}

void print(const Report& report, std::ostream& out) {
    const Report& cpu = report["cpu"];
    print_field(out, "voldiff", report["voldiff"]);
    print_field(out, "LibTorch", report["libtorch"]);
    print_field(out, "ITK", report["itk"]);
    print_field(out, "CPU", cpu["name"]);
    print_field(out, "instructions", cpu["instruction_set"]);
    print_field(out, "cores", cpu["cores"].dump());
    print_field(out, "threads", cpu["threads"].dump());
    print_field(
        out, "memory",
        byte_size(report["memory"]["available_bytes"]) + " free of " + byte_size(report["memory"]["total_bytes"]));
    print_field(out, "CUDA", report["cuda"] ? "yes" : "no");
    print_field(out, "data", report["data_directory"].get<std::string>() + (report["data_found"] ? "" : " (missing)"));
    print_field(out, "schedulers", join_values(report["schedulers"]));
    for (const Report& model : report["models"]) {
        const std::string name = std::filesystem::path(model["config"].get<std::string>()).filename().string();
        print_field(out, name, model["ready"] ? "ready" : "missing " + join_values(model["missing"]));
    }
}

}  // namespace

Action add_doctor(CLI::App& parser) {
    const auto json = std::make_shared<bool>(false);
    const auto models = std::make_shared<std::string>();
    parser.add_option("--models", *models, "folder of the weight files; $VOLDIFF_MODELS")->type_name("DIR");
    parser.add_flag("--json", *json, "print JSON")->group("Output");
    return [json, models](Context& context) {
        const Report report = examine(*models);
        return *json ? print_json(context.out, report) : print(report, context.out);
    };
}

}  // namespace voldiff

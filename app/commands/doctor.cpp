#include "app/commands/commands.h"
#include "app/table.h"
#include "io/system/system.h"
#include "io/volume/volume.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <memory>
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

Report examine() {
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
            {"data_found", std::filesystem::is_directory(data_directory())}};
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
}

}  // namespace

Action add_doctor(CLI::App& parser) {
    const auto json = std::make_shared<bool>(false);
    parser.add_flag("--json", *json, "print JSON")->group("Output");
    return [json](Context& context) {
        const Report report = examine();
        return *json ? print_json(context.out, report) : print(report, context.out);
    };
}

}  // namespace voldiff

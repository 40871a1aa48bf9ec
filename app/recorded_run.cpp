#include "app/recorded_run.h"

#include "app/batch/confine.h"
#include "app/output_name.h"
#include "app/table.h"
#include "core/error.h"
#include "io/checkpoint/torchscript_file.h"
#include "io/file.h"
#include "io/run_identity.h"

namespace voldiff {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string added_name = "_repeat";

std::string machine_of(const Json& record) {
    const Json& machine = record.at("machine");
    return machine.at("threads").dump() + " threads, LibTorch " + machine.at("libtorch").get<std::string>() + ", " +
           machine.at("cpu").get<std::string>();
}

bool lies_in(const fs::path& folder, const fs::path& root) {
    try {
        folder_inside(root, fs::absolute(folder).string());
        return true;
    } catch (const Error&) {
        return false;
    }
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : "."; }

void check_place(const RecordedRun& record, const RunConfig& run) {
    const fs::path folder = run.output.directory.empty() ? "." : run.output.directory;
    const bool beside = lies_in(folder, folder_of(record.file)) && lies_in(folder_of(record.file), folder);
    if (!beside && !lies_in(folder, "."))
        throw Error(ErrorCode::config, record.file.string() + ": the record would write in '" + folder.string() +
                                           "', which is neither its own folder nor below the working directory; "
                                           "say where with -o FILE or --set output.directory=DIR");
    for (const OutputFiles& files : plan_outputs(run, true))
        check_files_inside(folder, {files.volume, files.label, files.preview, files.sidecar});
}

}  // namespace

std::optional<RecordedRun> read_recorded_run(const fs::path& file) {
    if (extension(file) != ".json") return {};
    const Json json = Json::parse(read_text(file), nullptr, false);
    if (!json.is_object() || !json.contains("voldiff") || !json.contains("config")) return {};
    RecordedRun record{file, "", "", ""};
    try {
        record.volume = json.at("volume");
        record.machine = printable(machine_of(json));
        record.voxels_sha256 = json.at("image").at("voxels_sha256");
    } catch (const Json::exception&) {  // of an old version, or no record after all: there is nothing to compare with
    }
    return record;
}

void confine(const RecordedRun& record, RunConfig& run, bool chosen, bool allow_programs) {
    if (!chosen) {
        std::error_code ignored;
        const fs::path volume = fs::path(run.output.directory) / (run.output.name + run.output.format);
        if (fs::exists(volume, ignored)) run.output.name += added_name;
        check_place(record, run);
    }
    if (allow_programs) return;
    for (const auto& [key, path] : run_inputs(run)) {
        if (key.rfind("weights.", 0) != 0 || !is_torchscript_module(path)) continue;
        throw Error(ErrorCode::config, record.file.string() + ": '" + key + "' is '" + path.string() +
                                           "', a TorchScript module, which is a program; give --allow-torchscript "
                                           "where you trust it");
    }
}

void compare(const RecordedRun& record, nlohmann::ordered_json& results, Context& context) {
    if (record.voxels_sha256.empty() || results.size() != 1) return;
    const bool identical = results[0].at("voxels_sha256") == record.voxels_sha256;
    results[0]["identical"] = identical;
    if (identical) return context.log.info("identical to the volume that " + record.file.string() + " tells of");
    context.log.warn("not identical to the volume that " + record.file.string() +
                     " tells of; the same bytes come from the same options, weights, machine, threads and LibTorch; "
                     "the record's: " +
                     record.machine);
}

}  // namespace voldiff

// voldiff decode: from a latent to a volume on the voxels that were encoded.
#include "app/commands/commands.h"
#include "app/latent_command.h"
#include "app/machine.h"
#include "app/output_name.h"
#include "app/stages.h"
#include "app/table.h"
#include "core/decode/decode_planner.h"
#include "core/error.h"
#include "io/config/modality.h"
#include "io/file.h"
#include "io/latent/encoder_input.h"
#include "io/sidecar.h"
#include "io/volume/preview.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <memory>
#include <system_error>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

const std::vector<NamedFlag> named_flags = {
    {"--modality", "image.modality"}, {"--decode", "decode.method"},  {"--preview", "output.preview"},
    {"--dtype", "output.dtype"},      {"--device", "runtime.device"}, {"--precision", "runtime.precision"},
    {"--threads", "runtime.threads"},
};

// The config that was given, else the record beside the latent.
fs::path config_of(const LatentCommand& command) {
    if (!command.config.empty()) return command.config;
    const fs::path record = sidecar_path(command.input);
    std::error_code ignored;
    if (fs::is_regular_file(record, ignored)) return record;
    throw Error(ErrorCode::usage, "decode: there is no record '" + record.string() +
                                      "' beside the latent; name the run config of its autoencoder with --config");
}

fs::path preview_path(const fs::path& volume) { return sidecar_path(volume).replace_extension(".png"); }

fs::path full(const fs::path& path) { return fs::absolute(path).lexically_normal(); }

void check_output(const LatentCommand& command) {
    check_volume_format(command.output);
    if (full(sidecar_path(command.input)) == full(sidecar_path(command.output)))
        throw Error(ErrorCode::usage,
                    "'" + command.output + "' is named as the latent or its record; name another file");
    if (command.force) return;
    for (const fs::path& file : {fs::path(command.output), sidecar_path(command.output), preview_path(command.output)})
        check_absent(file, "another --output");
}

LatentRecord record_of(const LatentCommand& command, const RunConfig& run, const Latent& latent, Log& log) {
    if (!latent.record)
        log.info("note: no record beside the latent: taken as MAISI's, " + run.image.modality + ", in RAS");
    try {
        return record_for(latent, run.network.autoencoder, run.image.modality);
    } catch (const Error& error) {
        throw error.within(command.input);
    }
}

void check_same_weights(const LatentRecord& latent, const RunRecord& record, Log& log) {
    const std::string& now = record.weight_hashes.at("autoencoder");
    if (latent.autoencoder.empty() || latent.autoencoder == now) return;
    log.warn("the latent was encoded by other weights (SHA-256 " + latent.autoencoder.substr(0, 12) +
             "...) than those of the config (" + now.substr(0, 12) + "...); the image may mean nothing");
}

// MR may be all below 1.
Volume to_volume(const at::Tensor& decoded, const LatentRecord& record, const std::string& dtype) {
    Volume volume = on_own_voxels(to_intensity(decoded, record.range), record);
    if (dtype == "int16" || (dtype == "auto" && record.range.is_most)) volume.voxels = to_int16(volume.voxels);
    return volume;
}

void write(const LatentCommand& command, const RunConfig& run, const Volume& volume, const LatentRecord& latent,
           const Report& report) {
    const bool is_mr = modality_code(latent.modality) >= first_mr_modality;
    if (run.output.preview)
        write_preview(preview_path(command.output), volume,
                      is_mr ? percentile_window(volume.voxels) : soft_tissue_window);
    write_text(sidecar_path(command.output), report.dump(2) + "\n");
    write_volume(command.output, volume);
}

void decode(const LatentCommand& command, Context& context) {
    check_output(command);
    const Latent latent = read_latent(command.input);
    const RunConfig run = load_config(command, config_of(command), named_flags);
    const LatentRecord origin = record_of(command, run, latent, context.log);
    set_machine(run.runtime);
    prepare_folder(command.output);

    RunRecord record = begin_record(run, 0);
    context.log.info("loading the autoencoder");
    const Model model = load_autoencoder(run);
    tell(context.log, model.notes);
    record.weight_hashes = hash_weights(model);
    check_same_weights(origin, record, context.log);
    const DecodeChoice choice = choose_decode(
        {run.decode.method, run.decode.roi, run.decode.overlap, run.decode.mode}, *model.autoencoder,
        {latent.values.size(2), latent.values.size(3), latent.values.size(4)}, memory_allowed(run.runtime));
    context.log.info("decode: " + choice.reason);
    StageWatch watch(context, record.stages);
    const auto progress = [&watch](std::size_t done, std::size_t all) { watch("decode", done, all); };
    const at::Tensor decoded =
        decode_latent(*model.autoencoder, latent.values / origin.scale_factor, choice.options, progress);
    const Volume volume = to_volume(decoded, origin, run.output.dtype);

    Report from = {{"file", full(command.input).string()}, {"method", choice.options.method}};
    from.update(to_json(origin));
    const Report report = decoded_sidecar(run, model, record, volume, command.output, from);
    write(command, run, volume, origin, report);
    context.log.info("wrote " + command.output);
    if (command.json) return print_json(context.out, report);
    context.out << command.output << "\n";
}

}  // namespace

Action add_decode(CLI::App& parser) {
    const auto command = std::make_shared<LatentCommand>();
    parser.add_option("LATENT", command->input, "latent of voldiff encode, or of MAISI's training (_emb.nii.gz)")
        ->required();
    parser.add_option("-o,--output", command->output, "the volume's file; its extension is the format")
        ->required()
        ->type_name("FILE");
    parser
        .add_option("--config", command->config,
                    "run config with the autoencoder; default: the record beside the latent")
        ->type_name("FILE");
    add_latent_options(parser, named_flags, "decode.roi=[40,40,40]", *command);
    return [command](Context& context) { decode(*command, context); };
}

}  // namespace voldiff

// voldiff encode: from a volume to its latent, by the autoencoder of a run config.
#include "app/commands/commands.h"
#include "app/latent_command.h"
#include "app/machine.h"
#include "app/output_name.h"
#include "app/stages.h"
#include "app/table.h"
#include "core/error.h"
#include "io/file.h"
#include "io/latent/encoder_input.h"
#include "io/sidecar.h"

#include <ATen/core/Tensor.h>

#include <memory>
#include <system_error>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

const std::vector<NamedFlag> named_flags = {
    {"--modality", "image.modality"},
    {"--pad", "encode.pad", false, true},
    {"--sample", "encode.sample", false, true},
    {"--seed", "sampling.seed"},
    {"--encode", "encode.method"},
    {"--device", "runtime.device"},
    {"--precision", "runtime.precision"},
    {"--threads", "runtime.threads"},
};

void check_output(const LatentCommand& command) {
    check_latent_format(command.output);
    std::error_code ignored;
    if (fs::equivalent(command.input, command.output, ignored))
        throw Error(ErrorCode::usage, "'" + command.output + "' is the volume to encode itself; name another file");
    const fs::path record = sidecar_path(command.output);
    if (fs::equivalent(sidecar_path(command.input), record, ignored))
        throw Error(ErrorCode::usage, "the record of '" + command.output + "' would take the place of the volume's, '" +
                                          record.string() + "'; name another file");
    if (command.force) return;
    check_absent(command.output, "another --output");
    check_absent(record, "another --output");
}

EncoderInput read_input(const LatentCommand& command, const RunConfig& run) {
    const Volume volume = read_volume(command.input);
    try {
        return encoder_input(volume, run.image.modality, run.network.autoencoder.downsampling(), run.encode.pad);
    } catch (const Error& error) {
        throw error.within(command.input);
    }
}

// The record's map `latent`.
Report latent_report(const LatentCommand& command, const RunConfig& run, const Latent& latent,
                     const EncodeOptions& options) {
    Report report = {{"file", fs::path(command.output).filename().string()},
                     {"volume", fs::absolute(command.input).lexically_normal().string()},
                     {"size", latent.values.sizes().slice(1).vec()},
                     {"method", options.method},
                     {"value", options.seed ? "sample" : "mean"}};
    if (options.seed) report["seed"] = run.sampling.seed;
    report.update(to_json(*latent.record));
    return report;
}

void encode(const LatentCommand& command, Context& context) {
    const RunConfig run = load_config(command, command.config, named_flags);
    check_output(command);
    set_machine(run.runtime);
    context.log.info("reading the volume");
    EncoderInput input = read_input(command, run);
    const std::int64_t factor = run.network.autoencoder.downsampling();
    EncodeOptions options =
        encode_options(run, {input.image.size(2) / factor, input.image.size(3) / factor, input.image.size(4) / factor});
    if (run.encode.sample) options.seed = static_cast<std::uint64_t>(run.sampling.seed);
    prepare_folder(command.output);

    RunRecord record = begin_record(run, run.sampling.seed);
    context.log.info("loading the autoencoder");
    const Model model = load_autoencoder(run);
    tell(context.log, model.notes);
    StageWatch watch(context, record.stages);
    const auto progress = [&watch](std::size_t done, std::size_t all) { watch("encode", done, all); };
    record.weight_hashes = hash_weights(model);
    input.record.autoencoder = record.weight_hashes["autoencoder"];
    const Latent latent{encode_image(*model.autoencoder, input.image, options, progress), input.affine, input.record};

    const Report report = latent_report(command, run, latent, options);
    write_text(sidecar_path(command.output), latent_sidecar(run, model, record, report).dump(2) + "\n");
    write_latent(command.output, latent);
    context.log.info("wrote " + command.output);
    if (command.json) return print_json(context.out, report);
    context.out << command.output << "\n";
}

}  // namespace

Action add_encode(CLI::App& parser) {
    const auto command = std::make_shared<LatentCommand>();
    parser.add_option("VOLUME", command->input, "volume to encode, of any format and orientation; CT in HU")
        ->required();
    parser
        .add_option("-o,--output", command->output,
                    "the latent: .nii.gz or .nii as MAISI's training reads it, or .safetensors")
        ->required()
        ->type_name("FILE");
    parser.add_option("--config", command->config, "run config with the autoencoder, as configs/demo.yaml")
        ->required()
        ->type_name("FILE");
    add_latent_options(parser, named_flags, "encode.roi=[40,40,40]", *command);
    return [command](Context& context) { encode(*command, context); };
}

}  // namespace voldiff

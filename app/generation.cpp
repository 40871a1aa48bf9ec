#include "app/generation.h"

#include "app/progress.h"
#include "core/decode/decode_planner.h"
#include "core/ops/conv_policy.h"
#include "core/pipeline/from_mask.h"
#include "core/pipeline/image_only.h"
#include "core/pipeline/intensity.h"
#include "io/checkpoint/hash.h"
#include "io/config/trained.h"
#include "io/file.h"
#include "io/system/system.h"
#include "io/volume/preview.h"

#include <ATen/Parallel.h>

#include <chrono>

namespace voldiff {

namespace {

// Times a stage and its peak memory from its making to `end`.
class StageClock {
  public:
    explicit StageClock(std::string name) : name_(std::move(name)) { reset_peak_memory(); }
    StageRecord end() const {
        const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began_;
        return {name_, passed.count(), peak_memory()};
    }

  private:
    std::string name_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// Progress of the stages on the screen, and their clocks.
class StageWatch {
  public:
    StageWatch(Context& context, std::vector<StageRecord>& records)
        : context_(context), records_(records), progress_(context.log) {}

    void operator()(const std::string& stage, std::size_t done, std::size_t all) {
        context_.cancel.check();
        if (stage != stage_) begin(stage, all);
        progress_.step(done);
        if (done == all) end();
    }
    // Starts the clock of a stage before its first step is done.
    void begin(const std::string& stage, std::size_t steps) {
        stage_ = stage;
        clock_.emplace(stage);
        progress_.start(stage, steps);
    }

  private:
    void end() {
        progress_.finish();
        records_.push_back(clock_->end());
    }

    Context& context_;
    std::vector<StageRecord>& records_;
    Progress progress_;
    std::string stage_;
    std::optional<StageClock> clock_;
};

// Bytes that may still be taken.
double memory_allowed(const RuntimeSection& runtime) {
    if (runtime.memory_limit > 0) {
        return std::max(static_cast<double>(runtime.memory_limit) - static_cast<double>(resident_memory()), 0.0);
    }
    const auto available = static_cast<double>(available_memory());
    return available > 0 ? available : 1e18;  // the system does not say
}

Extents latent_extents(const RunConfig& run) {
    const auto shape = latent_shape(run.network.autoencoder, run.network.diffusion_unet, run.image.size);
    return {shape[2], shape[3], shape[4]};
}

}  // namespace

Generation::Generation(RunConfig run, std::vector<OutputFiles> outputs, Context& context, bool beyond_training)
    : run_(std::move(run)), context_(context), outputs_(std::move(outputs)) {
    set_threads();
    ops::use_own_kernels(!run_.runtime.exact_conv);
    read_mask();
    if (!beyond_training) check_trained(run_);
    const Extents latent = latent_extents(run_);
    const StageClock clock("load");
    context_.log.info("loading the model");
    model_ = load_model(run_);
    for (const LoadNote& note : model_.notes) {
        note.warning ? context_.log.warn(note.text) : context_.log.info("note: " + note.text);
    }
    request_ = image_request(run_, model_);
    check_conditions();
    const auto scheduler = make_scheduler(run_);
    scheduler->set_timesteps(request_.steps, latent[0] * latent[1] * latent[2]);
    network_calls_ = scheduler->timesteps().numel();
    choose_decoding(latent);
    loading_ = clock.end();
}

void Generation::choose_decoding(const Extents& latent) {
    const bool free = request_.decode.method == "auto";
    const DecodeChoice choice =
        choose_decode(request_.decode, *model_.autoencoder, latent, memory_allowed(run_.runtime));
    request_.decode = choice.options;
    context_.log.info("decode: " + choice.reason);
    const DecodeOptions windows{"sliding_window", choice.options.roi};
    if (free && find_decode_method("sliding_window").extents_at_once(latent, windows) != latent) {
        context_.log.info("note: the reference blends windows at this size; " +
                          std::string(choice.options.method == "whole" ? "this is the whole volume in one piece"
                                                                       : "so does this, for want of memory") +
                          " (decode.method: sliding_window for its windows)");
    }
}

// The run takes the mask's size and spacing.
void Generation::read_mask() {
    if (!run_.mask.given()) return;
    context_.log.info("reading the mask");
    mask_ = load_mask(run_);
    for (const LoadNote& note : mask_->notes) {
        note.warning ? context_.log.warn(note.text) : context_.log.info("note: " + note.text);
    }
    for (std::size_t axis = 0; axis < 3; ++axis) run_.image.size[axis] = mask_->mask.voxels.size(axis);
    run_.image.spacing = spacing_of(mask_->mask.affine);
}

void Generation::check_conditions() {
    const DiffusionUnetConfig& unet = run_.network.diffusion_unet;
    mask_ ? from_mask_conditions(unet, request_.conditions, mask_->mask.voxels)
          : image_only_conditions(unet, request_.conditions);
}

// The type that was asked for, else what the reference writes.
Volume Generation::to_volume(const ImageResult& result) const {
    const bool whole_numbers = run_.output.dtype == "int16" || (run_.output.dtype == "auto" && !mask_);
    return {(whole_numbers ? to_int16(result.intensity) : result.intensity).contiguous(),
            mask_ ? mask_->mask.affine : diagonal_affine(run_.image.spacing)};
}

void Generation::set_threads() const {
    const auto threads = static_cast<int>(run_.runtime.threads);
    at::set_num_threads(threads > 0 ? threads : core_count());
}

nlohmann::ordered_json Generation::plan() const {
    const Extents latent = latent_extents(run_);
    const DecodePrediction decode = predict_decode(*model_.autoencoder, latent, request_.decode);
    nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
    for (const OutputFiles& files : outputs_) outputs.push_back(files.volume.string());
    return {{"outputs", outputs},
            {"size", run_.image.size},
            {"latent", latent},
            {"steps", request_.steps},
            {"network_calls", network_calls_},
            {"decode", request_.decode.method},
            {"decode_mode", request_.decode.mode},
            {"predicted_decode_memory_bytes", decode.bytes}};
}

nlohmann::ordered_json Generation::make_all() {
    nlohmann::ordered_json made = nlohmann::ordered_json::array();
    for (const OutputFiles& files : outputs_) made.push_back(make(files));
    return made;
}

RunRecord Generation::begin_record(const OutputFiles& files) const {
    RunRecord record;
    record.version = VOLDIFF_VERSION;
    record.device = resolve_device(run_.runtime.device);
    record.threads = at::get_num_threads();
    record.seed = files.seed;
    record.stages.push_back(loading_);
    return record;
}

ImageResult Generation::generate(const OutputFiles& files, RunRecord& record) {
    ImageRequest request = request_;
    request.seed = static_cast<std::uint64_t>(files.seed);
    const auto scheduler = make_scheduler(run_);
    StageWatch watch(context_, record.stages);
    watch.begin("denoise", static_cast<std::size_t>(network_calls_));
    const auto progress = [&watch](const std::string& stage, std::size_t done, std::size_t all) {
        watch(stage, done, all);
    };
    const ImageNetworks networks{*model_.autoencoder, *model_.diffusion_unet, model_.controlnet.get()};
    return mask_ ? generate_from_mask(networks, *scheduler, request, mask_->mask.voxels, progress)
                 : generate_image(networks, *scheduler, request, progress);
}

nlohmann::ordered_json Generation::make(const OutputFiles& files) {
    context_.cancel.check();
    prepare_folder(files.volume);
    RunRecord record = begin_record(files);
    const Volume volume = to_volume(generate(files, record));
    if (weight_hashes_.empty()) {
        for (const WeightFile& file : model_.files) weight_hashes_[file.key] = sha256_of_file(file.path);
    }
    record.weight_hashes = weight_hashes_;
    write(files, volume, record);
    return {{"volume", files.volume.string()},
            {"sidecar", files.sidecar.string()},
            {"preview", files.preview.string()},
            {"seed", files.seed}};
}

void Generation::write(const OutputFiles& files, const Volume& volume, const RunRecord& record) const {
    const bool is_mr = request_.conditions.modality >= first_mr_modality;
    if (!files.preview.empty()) {
        write_preview(files.preview, volume, is_mr ? percentile_window(volume.voxels) : soft_tissue_window);
    }
    // The volume is last but for its record: where it stands, the rest does too.
    write_text(files.sidecar, sidecar(run_, model_, record, volume, files.volume).dump(2) + "\n");
    write_volume(files.volume, volume);
    context_.log.info("wrote " + files.volume.string());
}

}  // namespace voldiff

#include "app/generation.h"

#include "app/machine.h"
#include "app/stages.h"
#include "core/encode/padding.h"
#include "core/pipeline/from_mask.h"
#include "core/pipeline/image_only.h"
#include "core/pipeline/intensity.h"
#include "io/config/trained.h"
#include "io/file.h"
#include "io/volume/preview.h"

#include <ATen/TensorOperators.h>

namespace voldiff {

namespace {

Extents latent_extents(const RunConfig& run, const Extents& size) {
    const auto shape = latent_shape(run.network.autoencoder, run.network.diffusion_unet, size);
    return {shape[2], shape[3], shape[4]};
}

}  // namespace

Generation::Generation(RunConfig run, std::vector<OutputFiles> outputs, Context& context, bool beyond_training)
    : run_(std::move(run)), context_(context), outputs_(std::move(outputs)) {
    set_threads(run_.runtime);
    read_start_volume();
    read_mask();
    if (!beyond_training) check_trained(run_);
    const Extents latent = latent_extents(run_, encoded_size());
    const StageClock clock("load");
    context_.log.info("loading the model");
    model_ = load_model(run_);
    tell(context_.log, model_.notes);
    request_ = image_request(run_, model_);
    request_.size = encoded_size();
    prepare_start(latent);
    check_conditions();
    const auto scheduler = make_scheduler(run_);
    set_timesteps(*scheduler, request_, latent[0] * latent[1] * latent[2]);
    network_calls_ = scheduler->timesteps().numel();
    request_.decode =
        choose_decode_method(request_.decode, run_.network.autoencoder, latent, memory_allowed(run_.runtime));
    if (run_.decode.method == "auto") context_.log.info("decode.method auto: " + request_.decode.method);
    loading_ = clock.end();
}

// The run takes the volume's size and spacing.
void Generation::read_start_volume() {
    if (!run_.image_to_image.given()) return;
    context_.log.info("reading the volume to start from");
    start_ = load_start_volume(run_);
    tell(context_.log, start_->notes);
    take_grid(run_, *start_);
}

// What is encoded and decoded: the volume of the run, with its padding where it starts from one.
Extents Generation::encoded_size() const { return start_ ? start_->input.record.padded_size : run_.image.size; }

void Generation::prepare_start(const Extents& latent) {
    if (!start_) return;
    encode_ = encode_options(run_, latent);
    request_.range = start_->input.record.range;
    request_.start = StartImage{{}, run_.image_to_image.strength};
}

// The run takes the mask's size and spacing.
void Generation::read_mask() {
    if (!run_.mask.given()) return;
    context_.log.info("reading the mask");
    mask_ = load_mask(run_);
    tell(context_.log, mask_->notes);
    if (start_) {
        check_same_voxels(*start_, mask_->mask);
        mask_->mask.voxels = pad_to(mask_->mask.voxels, encoded_size());
        return;
    }
    for (std::size_t axis = 0; axis < 3; ++axis) run_.image.size[axis] = mask_->mask.voxels.size(axis);
    run_.image.spacing = spacing_of(mask_->mask.affine);
}

void Generation::check_conditions() {
    const DiffusionUnetConfig& unet = run_.network.diffusion_unet;
    mask_ ? from_mask_conditions(unet, request_.conditions, mask_->mask.voxels)
          : image_only_conditions(unet, request_.conditions);
}

// The type that was asked for, else what the reference writes; MR on the scale of the volume it started from may be
// all below 1.
Volume Generation::to_volume(const ImageResult& result) const {
    const bool own_scale = start_ && !start_->input.record.range.is_most;
    const bool whole_numbers = run_.output.dtype == "int16" || (run_.output.dtype == "auto" && !mask_ && !own_scale);
    Volume volume{result.intensity, mask_ ? mask_->mask.affine : diagonal_affine(run_.image.spacing)};
    if (start_) volume = on_own_voxels(result.intensity, start_->input.record);
    return {(whole_numbers ? to_int16(volume.voxels) : volume.voxels).contiguous(), volume.affine};
}

nlohmann::ordered_json Generation::plan() const {
    const Extents latent = latent_extents(run_, encoded_size());
    const Extents at_once = find_decode_method(request_.decode.method).extents_at_once(latent, request_.decode);
    nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
    for (const OutputFiles& files : outputs_) outputs.push_back(files.volume.string());
    return {{"outputs", outputs},
            {"size", encoded_size()},
            {"latent", latent},
            {"steps", request_.steps},
            {"network_calls", network_calls_},
            {"decode", request_.decode.method},
            {"predicted_decode_memory_bytes", predicted_decode_memory(run_.network.autoencoder, at_once)}};
}

nlohmann::ordered_json Generation::make_all() {
    encode_start_volume();
    nlohmann::ordered_json made = nlohmann::ordered_json::array();
    for (const OutputFiles& files : outputs_) made.push_back(make(files));
    return made;
}

// Once for all volumes of the run.
void Generation::encode_start_volume() {
    if (!start_ || request_.start->strength == 1) return;
    std::vector<StageRecord> stages;
    StageWatch watch(context_, stages);
    const auto progress = [&watch](std::size_t done, std::size_t all) { watch("encode", done, all); };
    request_.start->latent =
        encode_image(*model_.autoencoder, start_->input.image, encode_, progress) * request_.scale_factor;
    encoding_ = stages;
}

ImageResult Generation::generate(const OutputFiles& files, RunRecord& record) {
    ImageRequest request = request_;
    request.seed = static_cast<std::uint64_t>(files.seed);
    const auto scheduler = make_scheduler(run_);
    StageWatch watch(context_, record.stages);
    if (network_calls_ > 0) watch.begin("denoise", static_cast<std::size_t>(network_calls_));
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
    RunRecord record = begin_record(run_, files.seed);
    record.stages.push_back(loading_);
    record.stages.insert(record.stages.end(), encoding_.begin(), encoding_.end());
    const Volume volume = to_volume(generate(files, record));
    if (weight_hashes_.empty()) weight_hashes_ = hash_weights(model_);
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

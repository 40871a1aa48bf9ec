#include "app/generation.h"

#include "app/machine.h"
#include "app/stages.h"
#include "core/anatomy/labels.h"
#include "core/anatomy/quality.h"
#include "core/decode/decode_planner.h"
#include "core/encode/padding.h"
#include "core/pipeline/from_mask.h"
#include "core/pipeline/image_only.h"
#include "core/pipeline/intensity.h"
#include "io/anatomy/tables.h"
#include "io/config/modality.h"
#include "io/config/trained.h"
#include "io/file.h"
#include "io/volume/preview.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <sstream>

namespace voldiff {

namespace {

Extents latent_extents(const RunConfig& run, const Extents& size) {
    const auto shape = latent_shape(run.network.autoencoder, run.network.diffusion_unet, size);
    return {shape[2], shape[3], shape[4]};
}

// Only what the mask has of the labels asked for, numbered in their order; all of it where none were. [X, Y, Z]
at::Tensor label_file_values(const at::Tensor& labels, const std::vector<std::int64_t>& kept) {
    const at::Tensor values = kept.empty() ? labels : keep_organs(labels, kept);
    return values.to(values.max().item<std::int64_t>() > 255 ? at::kShort : at::kByte).contiguous();
}

}  // namespace

Generation::Generation(RunConfig run, std::vector<OutputFiles> outputs, Context& context, bool beyond_training,
                       std::shared_ptr<ModelStore> store)
    : run_(std::move(run)), context_(context), outputs_(std::move(outputs)), store_(std::move(store)) {
    set_machine(run_.runtime);
    read_start_volume();
    read_mask();
    if (!beyond_training && !run_.mask.only) check_trained(run_);
    if (!run_.mask.only) latent_extents(run_, encoded_size());  // throws where sizes do not fit the networks
    const StageClock clock("load");
    model_ = store_->get(run_, [this] { context_.log.info("loading the model"); });
    tell(context_.log, model_->notes);
    if (!run_.mask.only) prepare_image();
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

// A given mask decides the run's size and spacing, where no volume has done so.
void Generation::read_mask() {
    if (!run_.mask.given()) return;
    context_.log.info("reading the mask");
    masks_ = make_mask_source(run_);
    tell(context_.log, masks_->notes());
    const Volume* mask = masks_->fixed();
    if (mask == nullptr) return;
    if (start_) return check_same_voxels(*start_, *mask);
    for (std::size_t axis = 0; axis < 3; ++axis) run_.image.size[axis] = mask->voxels.size(axis);
    run_.image.spacing = spacing_of(mask->affine);
}

void Generation::prepare_image() {
    const Extents latent = latent_extents(run_, encoded_size());
    request_ = image_request(run_, *model_);
    request_.size = encoded_size();
    prepare_start(latent);
    check_conditions();
    const auto scheduler = make_scheduler(run_);
    set_timesteps(*scheduler, request_, latent[0] * latent[1] * latent[2]);
    network_calls_ = scheduler->timesteps().numel();
    choose_decoding(latent);
}

void Generation::choose_decoding(const Extents& latent) {
    const bool free = request_.decode.method == "auto";
    const DecodeChoice choice =
        choose_decode(request_.decode, *model_->autoencoder, latent, memory_allowed(run_.runtime));
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

// What is encoded and decoded: the volume of the run, with its padding where it starts from one.
Extents Generation::encoded_size() const { return start_ ? start_->input.record.padded_size : run_.image.size; }

void Generation::prepare_start(const Extents& latent) {
    if (!start_) return;
    encode_ = encode_options(run_, latent);
    request_.range = start_->input.record.range;
    request_.start = StartImage{{}, run_.image_to_image.strength};
}

void Generation::check_conditions() {
    const DiffusionUnetConfig& unet = run_.network.diffusion_unet;
    const Volume* mask = masks_ ? masks_->fixed() : nullptr;
    mask ? from_mask_conditions(unet, request_.conditions, mask->voxels)
         : image_only_conditions(unet, request_.conditions);
}

bool Generation::is_mr() const { return modality_code(run_.image.modality) >= first_mr_modality; }

// The type that was asked for, else what the reference writes; MR on the scale of the volume it started from may be
// all below 1.
Volume Generation::to_volume(const ImageResult& result, const ProvidedMask* mask) const {
    const bool own_scale = start_ && !start_->input.record.range.is_most;
    const bool whole_numbers =
        run_.output.dtype == "int16" || (run_.output.dtype == "auto" && mask == nullptr && !own_scale);
    Volume volume{result.intensity, mask ? mask->mask.affine : diagonal_affine(run_.image.spacing)};
    if (start_) volume = on_own_voxels(result.intensity, start_->input.record);
    return {(whole_numbers ? to_int16(volume.voxels) : volume.voxels).contiguous(), volume.affine};
}

nlohmann::ordered_json Generation::plan() const {
    nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
    for (const OutputFiles& files : outputs_) {
        outputs.push_back(files.volume.string());
        if (!files.label.empty()) outputs.push_back(files.label.string());
    }
    nlohmann::ordered_json plan = {{"outputs", outputs}, {"size", encoded_size()}};
    if (run_.mask.from_sizes()) plan["mask_steps"] = run_.mask.steps;
    if (run_.mask.only) return plan;
    const Extents latent = latent_extents(run_, encoded_size());
    plan["latent"] = latent;
    plan["steps"] = request_.steps;
    plan["network_calls"] = network_calls_;
    plan["decode"] = request_.decode.method;
    plan["decode_mode"] = request_.decode.mode;
    plan["predicted_decode_memory_bytes"] = predict_decode(*model_->autoencoder, latent, request_.decode).bytes;
    return plan;
}

nlohmann::ordered_json Generation::make_all() {
    nlohmann::ordered_json made = nlohmann::ordered_json::array();
    for (const OutputFiles& files : outputs_) made.push_back(write(compute(files)));
    return made;
}

// Once for all volumes of the run.
void Generation::encode_start_volume() {
    if (!start_ || request_.start->strength == 1 || request_.start->latent.defined()) return;
    std::vector<StageRecord> stages;
    StageWatch watch(context_, stages);
    const auto progress = [&watch](std::size_t done, std::size_t all) { watch("encode", done, all); };
    request_.start->latent =
        encode_image(*model_->autoencoder, start_->input.image, encode_, progress) * request_.scale_factor;
    encoding_ = stages;
}

ImageResult Generation::image_for(const ProvidedMask* mask, std::int64_t seed, StageWatch& watch) {
    ImageRequest request = request_;
    request.seed = static_cast<std::uint64_t>(seed);
    const auto scheduler = make_scheduler(run_);
    if (network_calls_ > 0) watch.begin("denoise", static_cast<std::size_t>(network_calls_));
    const auto progress = [&watch](const std::string& stage, std::size_t done, std::size_t all) {
        watch(stage, done, all);
    };
    const ImageNetworks networks{*model_->autoencoder, *model_->diffusion_unet, model_->controlnet.get()};
    return mask ? generate_from_mask(networks, *scheduler, request, mask->labels, progress)
                : generate_image(networks, *scheduler, request, progress);
}

void Generation::produce(MadeVolume& made) {
    StageWatch watch(context_, made.record.stages);
    if (masks_) return produce_from_mask(made, watch);
    made.volume = to_volume(image_for(nullptr, made.files.seed, watch), nullptr);
}

// Masks that are not the user's own are tried again where the image is not plausible; the last one stays.
void Generation::produce_from_mask(MadeVolume& made, StageWatch& watch) {
    const bool own = masks_->fixed() != nullptr;
    const std::int64_t seed = made.files.seed;
    const auto progress = [&watch](const std::string& stage, std::size_t done, std::size_t all) {
        watch(stage, done, all);
    };
    for (std::int64_t attempt = 0;; ++attempt) {
        ProvidedMask mask = masks_->provide(*model_, seed, attempt, progress);
        if (start_) mask.labels.labels = pad_to(mask.mask.voxels, encoded_size());
        if (!own) context_.log.info("mask: " + mask.from);
        made.record.mask = {{"from", mask.from}, {"attempt", attempt + 1}};
        if (run_.mask.only) {
            made.volume = {label_file_values(mask.mask.voxels, {}), mask.mask.affine};
            return;
        }
        const ImageResult result = image_for(&mask, seed_of_attempt(seed, attempt), watch);
        made.volume = to_volume(result, &mask);
        if (own) return;
        const bool last = attempt + 1 >= run_.mask.tries;
        if (!plausible(result, mask, made.record)) {
            context_.log.info(last ? "the image is kept all the same" : "trying another mask");
            if (!last) continue;
        }
        made.label = Volume{label_file_values(mask.mask.voxels, kept_labels(run_)), mask.mask.affine};
        return;
    }
}

// Whether the organs of a CT have the values that they have in real ones.
bool Generation::plausible(const ImageResult& result, const ProvidedMask& mask, RunRecord& record) {
    nlohmann::ordered_json outliers = nlohmann::ordered_json::array();
    if (!is_mr()) {
        for (const OrganQuality& organ : check_quality(ct_median_statistics(), result.intensity, mask.mask.voxels)) {
            if (!organ.outlier) continue;
            outliers.push_back(
                {{"organ", organ.organ}, {"median_hu", *organ.median}, {"low", organ.low}, {"high", organ.high}});
            std::ostringstream text;
            text << "quality: the median of " << organ.organ << " is " << *organ.median << " HU, expected " << organ.low
                 << " to " << organ.high << " (real scans)";
            context_.log.warn(text.str());
        }
    }
    record.mask["outliers"] = outliers;
    return outliers.empty();
}

MadeVolume Generation::compute(const OutputFiles& files) {
    context_.cancel.check();
    prepare_folder(files.volume);
    encode_start_volume();
    MadeVolume made{files, {}, {}, begin_record(run_, files.seed)};
    made.record.stages.push_back(loading_);
    made.record.stages.insert(made.record.stages.end(), encoding_.begin(), encoding_.end());
    produce(made);
    identify(made.record);
    return made;
}

// After the work, since the hashes of large weights take seconds.
void Generation::identify(RunRecord& record) {
    FileHashes& hashes = store_->hashes();
    if (!identity_) identity_.emplace(run_, hashes);
    record.config_hash = identity_->of(record.seed);
    for (const WeightFile& file : model_->files) record.weight_hashes[file.key] = hashes.of(file.path);
    // Masks made for sizes read the option themselves.
    if (!run_.mask.only && !run_.mask.from_sizes()) record.decode = request_.decode;
}

void Generation::write_preview_of(const MadeVolume& made) const {
    const Volume& volume = made.volume;
    const bool by_percentiles = is_mr() || run_.mask.only;
    write_preview(made.files.preview, volume, by_percentiles ? percentile_window(volume.voxels) : soft_tissue_window);
}

// The record is last: where it stands, the files that it describes do too. That of an earlier run goes first.
nlohmann::ordered_json Generation::write(const MadeVolume& made) const {
    const OutputFiles& files = made.files;
    remove_file(files.sidecar);
    nlohmann::ordered_json result = {{"volume", files.volume.string()},
                                     {"sidecar", files.sidecar.string()},
                                     {"preview", files.preview.string()},
                                     {"seed", files.seed}};
    if (!files.preview.empty()) write_preview_of(made);
    if (made.label) write_volume(files.label, *made.label);
    write_volume(files.volume, made.volume);
    RunRecord record = made.record;
    record.files = {files.volume};
    if (made.label) record.files.push_back(files.label);
    if (!files.preview.empty()) record.files.push_back(files.preview);
    const nlohmann::ordered_json written = sidecar(run_, *model_, record, made.volume, files.volume);
    write_text(files.sidecar, written.dump(2) + "\n");
    context_.log.info("wrote " + files.volume.string());
    if (made.label) {
        context_.log.info("wrote " + files.label.string());
        result["label"] = files.label.string();
    }
    result["voxels_sha256"] = written["image"]["voxels_sha256"];
    return result;
}

}  // namespace voldiff

#include "io/model/model.h"

#include "core/error.h"
#include "core/state_dict/load.h"
#include "io/checkpoint/checkpoint.h"
#include "io/config/modality.h"
#include "io/config/scalar.h"
#include "io/config/scheduler_config.h"
#include "io/config/weight_path.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

namespace {

at::ScalarType compute_type(const RuntimeSection& runtime) {
    if (runtime.precision == "bfloat16") return at::kBFloat16;
    if (runtime.precision == "float16") {
        if (resolve_device(runtime.device) != "cpu") return at::kHalf;
        throw Error(ErrorCode::usage,
                    "'runtime.precision' is float16, which needs a GPU; use float32 or bfloat16 on a CPU");
    }
    return at::kFloat;
}

void add_load_notes(const std::vector<Change>& changes, const std::string& key, Model& model) {
    for (const Change& change : changes) {
        model.notes.push_back({"weights." + key + ": " + std::to_string(change.names.size()) + " tensors (" +
                                   change.names.front() + ", ...): " + change.what,
                               change.suspicious});
    }
}

// Loads the file of `weights.KEY` into `network`.
Checkpoint load_weights(Network& network, const RunConfig& run, const std::string& key, Model& model) {
    const std::filesystem::path path = resolve_weight(run, key);
    const LoadTarget target{compute_type(run.runtime), at::Device(resolve_device(run.runtime.device))};
    Checkpoint checkpoint = read_checkpoint(path);
    try {
        const AdaptOptions options{network.layouts(), run.weights.layout, projection_rule(run.weights.projection)};
        add_load_notes(load_state_dict(network, checkpoint.weights, target, options), key, model);
    } catch (const Error& error) {
        throw error.within(path.string());
    }
    model.files.push_back({key, path, checkpoint.format});
    return checkpoint;
}

// A tensor or a number beside the weights, or the metadata of a safetensors file.
double find_scale_factor(const Checkpoint& checkpoint, const std::filesystem::path& path) {
    const std::string key = "scale_factor";
    if (checkpoint.extra_tensors.contains(key) && checkpoint.extra_tensors[key].numel() == 1) {
        return checkpoint.extra_tensors[key].item<double>();
    }
    if (const auto number = checkpoint.extra_numbers.find(key); number != checkpoint.extra_numbers.end()) {
        return number->second;
    }
    if (const auto text = checkpoint.metadata.find(key); text != checkpoint.metadata.end()) {
        if (const auto number = parse_number(text->second)) return *number;
    }
    throw Error(ErrorCode::weights, path.string() +
                                        ": no scale_factor beside the weights, expected a number or a tensor\nthe "
                                        "diffusion checkpoints of MAISI hold one; is this the autoencoder's file?");
}

std::array<double, 4> region(const std::vector<double>& weights, bool wanted) {
    std::array<double, 4> row{};
    if (weights.empty()) {
        if (!wanted) return row;
        throw Error(ErrorCode::config,
                    "the network takes a body region, but none is given; set image.body_region to "
                    "two of head, chest, abdomen, pelvis (top and bottom)");
    }
    std::copy_n(weights.begin(), 4, row.begin());
    return row;
}

}  // namespace

std::string resolve_device(const std::string& device) {
    if (device == "auto") return at::hasCUDA() ? "cuda" : "cpu";
    if (device == "cpu" || at::hasCUDA()) return device;
    throw Error(ErrorCode::usage, "'runtime.device' is '" + device +
                                      "', but this LibTorch has no CUDA; use cpu, or build with a LibTorch that has it "
                                      "(CMAKE_PREFIX_PATH)");
}

Model load_model(const RunConfig& run) {
    Model model;
    model.autoencoder = std::make_unique<AutoencoderKl>(run.network.autoencoder);
    model.diffusion_unet = std::make_unique<DiffusionUnet>(run.network.diffusion_unet);
    if (run.network.autoencoder.norm_float16) {
        model.notes.push_back({"norm_float16 is ignored: group norms are computed in float32"});
    }
    load_weights(*model.autoencoder, run, "autoencoder", model);
    const Checkpoint diffusion = load_weights(*model.diffusion_unet, run, "diffusion_unet", model);
    model.scale_factor = find_scale_factor(diffusion, model.files.back().path);
    return model;
}

ImageOnlyRequest image_only_request(const RunConfig& run, const Model& model) {
    const DiffusionUnetConfig& unet = run.network.diffusion_unet;
    ImageOnlyRequest request;
    request.size = run.image.size;
    request.conditions.spacing = run.image.spacing;
    request.conditions.modality = modality_code(run.image.modality);
    request.conditions.top_region = region(run.image.top_region(), unet.include_top_region_index_input);
    request.conditions.bottom_region = region(run.image.bottom_region(), unet.include_bottom_region_index_input);
    request.steps = run.sampling.steps;
    request.guidance_scale = run.sampling.guidance_scale;
    request.seed = static_cast<std::uint64_t>(run.sampling.seed);
    request.scale_factor = model.scale_factor;
    request.decode = {run.decode.method, run.decode.roi, run.decode.overlap};
    return request;
}

std::unique_ptr<Scheduler> make_scheduler(const RunConfig& run) {
    Problems problems;
    auto scheduler = read_scheduler(raw_node(run.network.noise_scheduler), raw_node(run.sampling.scheduler), problems);
    problems.throw_if_any();
    return scheduler;
}

}  // namespace voldiff

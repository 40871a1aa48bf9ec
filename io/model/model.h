// The networks of a run with their weights, and the requests that a run config makes of them.
#pragma once

#include "core/networks/network.h"
#include "core/pipeline/sampling.h"
#include "io/config/run_config.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace voldiff {

struct WeightFile {
    std::string key;  // of `weights`
    std::filesystem::path path;
    std::string format;
};

// The networks of a network file, by their keys of `weights`: "autoencoder", "diffusion_unet", and those of
// "controlnet", "mask_generation_autoencoder", "mask_generation_diffusion" that it has.
std::vector<std::string> network_names(const NetworkConfig& config);

// One of them, without weights. Throws Error(config) for another name, listing those that there are.
std::unique_ptr<Network> make_network(const NetworkConfig& config, const std::string& name);

// The resolved choices of every attention block, for records and reports.
nlohmann::ordered_json attention_record(const Network& network);

// What a user should know about the loading, in one sentence.
struct LoadNote {
    std::string text;
    bool warning = false;
};

struct Model {
    std::unique_ptr<Autoencoder> autoencoder;
    std::unique_ptr<Denoiser> diffusion_unet;
    std::unique_ptr<Controller> controlnet;  // where the run starts from a mask
    double scale_factor = 1;
    std::unique_ptr<Autoencoder> mask_generation_autoencoder;  // where it makes the mask
    std::unique_ptr<Denoiser> mask_generation_diffusion;
    double mask_generation_scale_factor = 1;
    std::vector<WeightFile> files;
    std::vector<LoadNote> notes;
    nlohmann::ordered_json attention = nlohmann::ordered_json::object();  // `attention_record` of each own network
};

// Type `name` on `runtime.device`: of `runtime.precision`, or of `runtime.autocast`. Throws Error(usage) for float16 on
// a CPU, which LibTorch does not have.
at::ScalarType compute_type(const RuntimeSection& runtime, const std::string& name);

// Builds the networks that the run needs and loads their weights, strictly, in the precision and on the device
// of `run.runtime`. Throws Error(weights) where a checkpoint does not fit its network, Error(usage) for a device or
// precision that this LibTorch does not have, and what `resolve_weight` and `read_checkpoint` throw.
Model load_model(const RunConfig& run);

// The same for the autoencoder alone: the others stay empty, and the scale factor is 1.
Model load_autoencoder(const RunConfig& run);

// Throws Error(config) for an unknown modality or a missing body region.
ImageRequest image_request(const RunConfig& run, const Model& model);

// Network `name` of a run (see `network_names`) with its weights, in float32 on the CPU, and the scale factor beside
// them where there is one. Throws as `load_model`.
struct LoadedNetwork {
    std::unique_ptr<Network> network;
    std::optional<double> scale_factor;
    std::vector<LoadNote> notes;
};
LoadedNetwork load_network(const RunConfig& run, const std::string& name);

// The model's noise scheduler with the run's overrides. Throws Error(config).
std::unique_ptr<Scheduler> make_scheduler(const RunConfig& run);
// The one of masks.
std::unique_ptr<Scheduler> make_mask_scheduler(const RunConfig& run);

// "cpu", "cuda" or "cuda:1" of `runtime.device`, `auto` resolved. Throws Error(usage) where LibTorch has no such
// device.
std::string resolve_device(const std::string& device);

}  // namespace voldiff

// The networks of a run with their weights, and the requests that a run config makes of them.
#pragma once

#include "core/pipeline/image_only.h"
#include "io/config/run_config.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace voldiff {

struct WeightFile {
    std::string key;  // of `weights`
    std::filesystem::path path;
    std::string format;
};

struct Model {
    std::unique_ptr<AutoencoderKl> autoencoder;
    std::unique_ptr<DiffusionUnet> diffusion_unet;
    double scale_factor = 1;
    std::vector<WeightFile> files;
    std::vector<std::string> notes;  // what a user should know about the loading, one sentence each
};

// Builds the autoencoder and the diffusion U-Net and loads their weights, strictly, in the precision and on the device
// of `run.runtime`. Throws Error(weights) where a checkpoint does not fit its network, Error(usage) for a device or
// precision that this LibTorch does not have, and what `resolve_weight` and `read_checkpoint` throw.
Model load_model(const RunConfig& run);

// Throws Error(config) for an unknown modality or a missing body region.
ImageOnlyRequest image_only_request(const RunConfig& run, const Model& model);

// The model's noise scheduler with the run's overrides. Throws Error(config).
std::unique_ptr<Scheduler> make_scheduler(const RunConfig& run);

// "cpu", "cuda" or "cuda:1" of `runtime.device`, `auto` resolved. Throws Error(usage) where LibTorch has no such
// device.
std::string resolve_device(const std::string& device);

}  // namespace voldiff

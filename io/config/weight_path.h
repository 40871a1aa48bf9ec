// Where the weights of a run are.
#pragma once

#include "io/config/run_config.h"

#include <filesystem>
#include <string>

namespace voldiff {

// The file of `weights.KEY`: an absolute path as it is; else relative to the file that says it (the working directory
// for the command line), to `run.models`, to $VOLDIFF_MODELS. Throws Error(io) that lists the places tried,
// Error(config) where the key was not given.
std::filesystem::path resolve_weight(const RunConfig& run, const std::string& key);

// Writes the absolute path of its file over each path of `run.weights` that was given: what a sidecar must hold, since
// it lies in another folder than the config. Throws as `resolve_weight`.
void make_weights_absolute(RunConfig& run);

}  // namespace voldiff

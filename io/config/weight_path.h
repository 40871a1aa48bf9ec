// Where the files that a run reads are.
#pragma once

#include "io/config/run_config.h"

#include <filesystem>
#include <string>
#include <vector>

namespace voldiff {

// The file of `weights.KEY`: an absolute path as it is; else relative to the file that says it (the working directory
// for the command line), to `run.models`, to $VOLDIFF_MODELS. Throws Error(io) that lists the places tried,
// Error(config) where the key was not given.
std::filesystem::path resolve_weight(const RunConfig& run, const std::string& key);

// The files of `run.weights` that are given and nowhere to be found, as the config writes them.
std::vector<std::string> missing_weights(const RunConfig& run);

// Whether a path is what is looked for, and the word for it ("file").
struct InputKind {
    const char* word;
    bool (*is)(const std::filesystem::path& path);
};
extern const InputKind input_file;
extern const InputKind input_folder;

// The path that option `key` names, in the places above; `advice` ends the message where there is none. Relative paths
// of MAISI's files are also taken from $MONAI_DATA_DIRECTORY, as there. Throws Error(io).
std::filesystem::path resolve_input(const RunConfig& run, const std::string& key, const std::string& path,
                                    const std::string& advice, const InputKind& kind = input_file);

// The file of `mask.KEY` (or folder, for `library`), which says `path`. Throws Error(io).
std::filesystem::path resolve_mask_input(const RunConfig& run, const std::string& key, const std::string& path);

// The file of `image_to_image.file`. Throws Error(io).
std::filesystem::path resolve_start_image(const RunConfig& run);

// Writes the absolute path of its file over each path of the weights, the mask and the image to start from: what a
// sidecar must hold, since it lies in another folder than the config. Throws as `resolve_weight`.
// Weights that are nowhere to be found stay as written: the run does without them.
void make_inputs_absolute(RunConfig& run);

}  // namespace voldiff

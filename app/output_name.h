// Where the files of a run go.
#pragma once

#include "io/config/run_config.h"

#include <filesystem>
#include <string>
#include <vector>

namespace voldiff {

// The files of one volume of a run.
struct OutputFiles {
    std::int64_t index = 0;  // from 0 to sampling.count - 1
    std::int64_t seed = 0;   // sampling.seed + index
    std::filesystem::path volume;
    std::filesystem::path sidecar;
    std::filesystem::path preview;  // empty without one
};

// `{config}`, `{seed}`, `{index}` and `{index:03}` (padded with zeros to a width, any of them) in output.name.
// Throws Error(config) for other placeholders and for names that leave the directory.
std::string expand_name(const std::string& pattern, const std::string& config, std::int64_t seed, std::int64_t index);

// One entry a volume. Throws Error(config) where two volumes would have the same name, or for an unknown format, and
// Error(io) where a file exists already and `overwrite` is false.
std::vector<OutputFiles> plan_outputs(const RunConfig& run, bool overwrite);

// Makes the folder and tries to write in it, before the work. Throws Error(io) with the system's reason.
void prepare_folder(const OutputFiles& files);

}  // namespace voldiff

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
    std::filesystem::path label;    // empty where the run makes no pairs
};

// `{config}`, `{seed}`, `{index}` and `{index:03}` (padded with zeros to a width, any of them) in output.name.
// Throws Error(config) for other placeholders, and for names that leave the directory, have control characters or a
// part of more than 200 bytes.
std::string expand_name(const std::string& pattern, const std::string& config, std::int64_t seed, std::int64_t index);

// One entry a volume. Throws Error(config) where two volumes would have the same name, or for an unknown format, and
// Error(io) where a file exists already and `overwrite` is false.
std::vector<OutputFiles> plan_outputs(const RunConfig& run, bool overwrite);

// The same for other seeds than sampling.seed and those after it.
std::vector<OutputFiles> plan_outputs(const RunConfig& run, const std::vector<std::int64_t>& seeds, bool overwrite);

// sampling.seed and the sampling.count - 1 after it.
std::vector<std::int64_t> configured_seeds(const RunConfig& run);

// Throws Error(io) where the file exists; `another` is what to choose otherwise ("output.name").
void check_absent(const std::filesystem::path& path, const std::string& another);

// Makes the folder of a file and tries to write there, before the work. Throws Error(io) with the system's reason.
void prepare_folder(const std::filesystem::path& file);

}  // namespace voldiff

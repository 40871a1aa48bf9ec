// Repeating a run from its record.
#pragma once

#include "app/commands/commands.h"
#include "io/config/run_config.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace voldiff {

// What a record says of the volume beside it.
struct RecordedRun {
    std::filesystem::path file;
    std::string volume;         // file name
    std::string voxels_sha256;  // see `voxels_hash`; "" in records of old versions
    std::string machine;        // "4 threads, LibTorch 2.6.0, AMD EPYC ..."
};

// Nothing where the file is another config. Throws Error(io) where it cannot be read.
std::optional<RecordedRun> read_recorded_run(const std::filesystem::path& file);

// A record may be somebody else's: unless the command line says where (`chosen`), its volume goes beside the record or
// below the working directory, and under a name of its own ("_repeat") where the recorded volume is there still.
// Weights that are programs are refused unless `allow_programs`. Throws Error(config).
void confine(const RecordedRun& record, RunConfig& run, bool chosen, bool allow_programs);

// Says whether the one volume of `results` (of Generation::make_all) is the recorded one to the last bit, in the log
// and as `identical`.
void compare(const RecordedRun& record, nlohmann::ordered_json& results, Context& context);

}  // namespace voldiff

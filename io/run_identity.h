// What makes two volumes the same: the options that decide their values, and the content of the files they are made of.
#pragma once

#include "io/checkpoint/hash.h"
#include "io/config/run_config.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>

namespace voldiff {

// The files that a run reads, by the key paths that name them ("weights.autoencoder", "mask.file"): those it needs, not
// all that are given. Throws as `resolve_weight` where one is missing.
std::map<std::string, std::filesystem::path> run_inputs(const RunConfig& run);

// The weights among them, absolute.
std::map<std::string, std::filesystem::path> run_weights(const RunConfig& run);

// The identity of each volume of a run config. It stays the same where files are moved or renamed, where the threads,
// the device, the output's place or the limits of memory change, and where a new version of voldiff adds options; it
// changes with every other option that differs from its default, and with the content of every input.
class RunIdentity {
  public:
    // Reads the inputs, each once. Throws as `run_inputs`.
    RunIdentity(const RunConfig& run, FileHashes& hashes);

    std::string of(std::int64_t seed) const;  // SHA-256, 64 hexadecimal digits

  private:
    std::string text_;
};

}  // namespace voldiff

// The record beside a volume: how it was made, completely enough to make it again.
//
// `voldiff generate NAME.json` runs the `config` of a record. Its weight paths are absolute. The record is written
// after all the files that it describes, with their sizes and hashes.
#pragma once

#include "core/decode/decode.h"
#include "io/config/run_config.h"
#include "io/model/model.h"
#include "io/volume/volume.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace voldiff {

struct StageRecord {
    std::string name;
    double seconds = 0;
    std::size_t peak_memory = 0;  // bytes resident at most during the stage; 0 where the system does not say
};

struct RunRecord {
    std::string version;  // of voldiff
    std::string device;
    std::int64_t threads = 1;
    std::int64_t seed = 0;
    std::vector<StageRecord> stages;
    std::map<std::string, std::string> weight_hashes;  // key of `weights` -> SHA-256
    std::string config_hash;                           // see io/run_identity.h
    std::optional<DecodeOptions> decode;               // what `auto` became
    std::vector<std::filesystem::path> files;          // that were written, the volume first; on the disk
    nlohmann::ordered_json mask;                       // where it is from, and what its quality check found; or null
};

// The effective config of one volume of the run: its seed, its file, absolute weight paths. Reads `record.files`.
nlohmann::ordered_json sidecar(const RunConfig& run, const Model& model, const RunRecord& record, const Volume& volume,
                               const std::filesystem::path& volume_path);

// Beside a latent: `latent` is what decoding needs, see io/latent/latent_file.h. The config has the weights of the
// autoencoder alone.
nlohmann::ordered_json latent_sidecar(const RunConfig& run, const Model& model, const RunRecord& record,
                                      const nlohmann::ordered_json& latent);

// Beside a volume that was decoded from a latent; no config that `generate` runs.
nlohmann::ordered_json decoded_sidecar(const RunConfig& run, const Model& model, const RunRecord& record,
                                       const Volume& volume, const std::filesystem::path& volume_path,
                                       const nlohmann::ordered_json& decoded_from);

// SHA-256 of the voxels, x slowest, as they are in memory: the same where two volumes are alike to the bit.
std::string voxels_hash(const Volume& volume);

// The record's path: the volume's, with `.json` for its extension.
std::filesystem::path sidecar_path(const std::filesystem::path& volume_path);

// The stages of the record beside a volume; none where there is no such record, as with volumes from elsewhere.
std::vector<StageRecord> read_stages(const std::filesystem::path& volume_path);

}  // namespace voldiff

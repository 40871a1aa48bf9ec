// Latents and their files.
//
//   NIfTI (.nii.gz, .nii): as MAISI's training reads them, [x, y, z, channels], float32, with the affine of the image
//   that was encoded (so a voxel of the file says it is as large as one of the image). What the way back needs besides
//   is in the record beside it; without one the latent is taken as MAISI's own script leaves it.
//   .safetensors: the tensor `latent` [channels, x, y, z], and the record as metadata.
// Source: NV-Generate-CTMR scripts/diff_model_create_training_data.py (process_file).
#pragma once

#include "core/decode/sliding_window.h"
#include "core/pipeline/intensity.h"
#include "io/volume/volume.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace voldiff {

// What the way back from a latent to the volume's own voxels needs.
struct LatentRecord {
    Extents size{};         // voxels of the volume, along the axes of its file
    Affine affine{};        // of the volume
    Extents padded_size{};  // voxels that were encoded: in RAS, zeros around where more than the volume's
    IntensityRange range;
    std::string modality = "ct";
    double scale_factor = 1;  // the values are the autoencoder's times this
    std::string autoencoder;  // SHA-256 of the weights that encoded, "" where it is not known
};

struct Latent {
    at::Tensor values;  // [1, channels, x, y, z], float32
    Affine affine{};    // of the image that was encoded, padding included
    std::optional<LatentRecord> record;
};

// Throws Error(config) for another extension than the three.
void check_latent_format(const std::filesystem::path& path);

// Throws Error(io) for a file that cannot be read or is no latent, Error(config) for a record that is not whole, or
// that says another size than the file.
Latent read_latent(const std::filesystem::path& path);

// Writes the latent, which has its record; not the record beside it. Throws Error(io).
void write_latent(const std::filesystem::path& path, const Latent& latent);

// For the map `latent` of a record.
nlohmann::ordered_json to_json(const LatentRecord& record);

}  // namespace voldiff

// Latents and their files.
//
//   NIfTI (.nii.gz, .nii): as MAISI's training reads them, [x, y, z, channels], float32, with the affine of the image
//   that was encoded (so a voxel of the file says it is as large as one of the image). What the way back needs besides
//   is in the record beside it; without one the latent is taken as MAISI's own script leaves it.
//   .safetensors: the tensor `latent` [channels, x, y, z], and the record as metadata.
// Source: NV-Generate-CTMR scripts/diff_model_create_training_data.py (process_file).
#pragma once

#include "io/latent/latent_record.h"
#include "io/volume/volume.h"

#include <filesystem>
#include <optional>

namespace voldiff {

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

}  // namespace voldiff

// The volume that a run starts from in place of noise, from its file to what the encoder takes.
#pragma once

#include "io/latent/encoder_input.h"
#include "io/model/model.h"

#include <filesystem>
#include <vector>

namespace voldiff {

struct StartVolume {
    std::filesystem::path path;
    EncoderInput input;                // padded for both networks where `encode.pad` says so
    std::array<std::int64_t, 3> size;  // voxels in RAS, without padding
    Affine affine;                     // of these
    std::vector<LoadNote> notes;
};

// Reads `run.image_to_image`. Throws Error(io) for a file that cannot be read, as `encoder_input`, and Error(config)
// where `image.size` or `image.spacing` says something else: on the command line, or in the file that names the volume.
// What another file says (the model's, that this one extends) gives way with a note.
StartVolume load_start_volume(const RunConfig& run);

// The run on the voxels of the volume, without padding.
void take_grid(RunConfig& run, const StartVolume& start);

// Throws Error(config) where the mask of the run, in RAS, is not on the volume's voxels.
void check_same_voxels(const StartVolume& start, const Volume& mask);

}  // namespace voldiff

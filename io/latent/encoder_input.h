// A volume as the autoencoder takes it, and the way back to the volume's own voxels.
// Source: NV-Generate-CTMR scripts/diff_model_create_training_data.py (create_transforms), which resamples to multiples
// of 128 voxels besides; here nothing is resampled.
#pragma once

#include "core/networks/autoencoder_kl_config.h"
#include "io/latent/latent_file.h"

#include <ATen/core/Tensor.h>

namespace voldiff {

struct EncoderInput {
    at::Tensor image;  // [1, 1, X, Y, Z], float32, in RAS, 0..1
    Affine affine{};   // of `image`
    LatentRecord record;
};

// `multiple`: of every extent; `pad`: zeros around where it is none. Throws Error(config), with each axis and the
// nearest multiples, where an extent is none and `pad` is false, and as `range_of`.
EncoderInput encoder_input(const Volume& volume, const std::string& modality, std::int64_t multiple, bool pad);

// [X, Y, Z] on the voxels that were encoded -> the volume's own size, axes and affine.
Volume on_own_voxels(const at::Tensor& intensity, const LatentRecord& record);

// The record of a latent that `autoencoder` is to decode. One that has none is taken as MAISI's script leaves it: in
// RAS, not padded, of `modality`, with the intensities of generated images. Throws Error(config) where the latent is
// not of such an autoencoder, or where it has no record and is not in RAS.
LatentRecord record_for(const Latent& latent, const AutoencoderKlConfig& autoencoder, const std::string& modality);

}  // namespace voldiff

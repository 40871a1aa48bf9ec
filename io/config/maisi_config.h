// MAISI's own three files, as NV-Generate-CTMR's `scripts.diff_model_infer -t NET -e ENV -c INFER` and
// `scripts.infer_image_from_mask -t NET -e ENV -i INFER` take them.
#pragma once

#include "io/config/run_config.h"

#include <filesystem>
#include <vector>

namespace voldiff {

struct MaisiFiles {
    std::filesystem::path network;  // -t: autoencoder_def, diffusion_unet_def, noise_scheduler, latent_channels, ...
    std::filesystem::path environment;  // -e: model_dir, model_filename, trained_autoencoder_path, output_dir, ...
    std::filesystem::path inference;    // -c: diffusion_unet_inference; or -i: output_size, spacing, modality, ...
    bool with_controlnet = false;       // -i: the environment names trained_diffusion_path, trained_controlnet_path
};

// The files are one name space, as in the reference: a top-level key of a later file covers that of an earlier one, in
// the order environment, inference, network. Top-level keys that generating does not need (of training, data lists) are
// ignored, all other unknown keys are mistakes. Decoding is `sliding_window` with the reference's window. Relative
// paths start in the working directory, or in $MONAI_DATA_DIRECTORY. -i makes pairs of image and labels, from sizes of
// organs or from the library's masks; with `mask.file` among the overrides an image from that mask. `overrides` have
// the key paths of a run config. The output is named as the reference names it, without its time stamp and rank. A file
// without `random_seed` means seed 0, where the reference would draw one. Throws as `load_run_config`. Source:
// scripts/diff_model_setting.py, scripts/diff_model_infer.py, scripts/inference.py, scripts/infer_image_from_mask.py.
RunConfig load_maisi_config(const MaisiFiles& files, const std::vector<Override>& overrides = {});

}  // namespace voldiff

// What a diffusion U-Net is told about the image to make, as tensors.
// Source: NV-Generate-CTMR scripts/diff_model_infer.py (prepare_tensors, run_inference).
#pragma once

#include "core/decode/sliding_window.h"
#include "core/networks/autoencoder_kl_config.h"
#include "core/networks/roles.h"

#include <array>
#include <optional>

namespace voldiff {

struct ImageConditions {
    std::array<double, 3> spacing{1, 1, 1};  // mm
    std::int64_t modality = 1;               // class label; 8 and above are MR
    std::array<double, 4> top_region{0, 0, 0, 0};
    std::array<double, 4> bottom_region{0, 0, 0, 0};
};

// Region and spacing times 100, rounded to float16 as the reference does and then float32. N = 1.
// Throws Error(config) for a modality that the network has no label for.
UnetConditions image_only_conditions(const DiffusionUnetConfig& unet, const ImageConditions& image);

// The shape of the latent for an image of `size` voxels, [1, C, D, H, W].
// Throws Error(config) where the extents do not divide, or the two networks do not belong together.
std::vector<std::int64_t> latent_shape(const AutoencoderKlConfig& autoencoder, const DiffusionUnetConfig& unet,
                                       const Extents& size);

}  // namespace voldiff

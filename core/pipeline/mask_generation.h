// Masks from nothing: the denoising of a mask's latent, steered by the sizes of organs and tumours.
// Source: NV-Generate-CTMR scripts/sample_mask.py (ldm_conditional_sample_one_mask), scripts/utils_infer.py
// (initialize_noise_latents).
#pragma once

#include "core/anatomy/size_condition.h"
#include "core/pipeline/sampling.h"

namespace voldiff {

struct MaskRequest {
    std::vector<std::int64_t> latent_shape;  // [C, d, h, w]
    SizeCondition sizes{};
    std::int64_t steps = 1000;
    std::uint64_t seed = 0;
    double scale_factor = 1;
    // decode.method sliding_window: in blended windows, as the reference does for latents that are larger than the
    // window; every other method decodes the whole latent. With a mode
    // chosen.
    DecodeOptions decode;
};

// The class of each voxel, [X, Y, Z], uint8: the autoencoder's channels, not yet MAISI's labels. The conditions are
// rounded to float16, and so is the first noise. Stages "mask denoise" and "mask decode".
// Throws Error(config) where the networks do not fit the request, Error(numerical) for values that are not finite.
at::Tensor generate_mask_classes(Autoencoder& autoencoder, Denoiser& unet, Scheduler& scheduler,
                                 const MaskRequest& request, const StageProgress& progress);

}  // namespace voldiff

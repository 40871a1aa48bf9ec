// From an image to a latent: the ways to run the encoder.
// Sources: NV-Generate-CTMR scripts/diff_model_create_training_data.py (process_file),
// monai/networks/nets/autoencoderkl.py (AutoencoderKL.sampling).
#pragma once

#include "core/decode/sliding_window.h"
#include "core/networks/roles.h"

#include <optional>
#include <string>

namespace voldiff {

struct EncodeOptions {
    std::string method = "auto";                       // whole, sliding_window
    Extents roi{80, 80, 40};                           // latent voxels, sliding_window only
    double overlap = 0.4;                              // sliding_window only
    std::optional<std::uint64_t> seed = std::nullopt;  // for a sample of the latent distribution; none: its mean
};

using EncodeProgress = std::function<void(std::size_t done, std::size_t all)>;

// Bytes of activations that encoding to a latent of these extents in one piece needs at its peak, in float32 on a CPU.
double predicted_encode_memory(const AutoencoderKlConfig& config, const Extents& latent);

// `auto`: whole where `available` bytes are enough for that, else sliding_window, which needs less and gives a slightly
// different latent. Other names are kept. Throws Error(memory) where neither fits.
EncodeOptions choose_encode_method(EncodeOptions options, const AutoencoderKlConfig& config, const Extents& latent,
                                   double available);

// image [1, in_channels, X, Y, Z], 0..1, extents that the autoencoder divides -> latent [1, C, x, y, z], not yet times
// the scale factor. A sample is mean + sigma noise, drawn for each window in turn as the reference does; for the image
// in one piece that is `torch.manual_seed(seed); autoencoder.encode_stage_2_inputs(image)`.
// Throws Error(numerical) where a value is not finite.
at::Tensor encode_image(Autoencoder& autoencoder, const at::Tensor& image, const EncodeOptions& options,
                        const EncodeProgress& progress = {});

}  // namespace voldiff

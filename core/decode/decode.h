// From a latent to an image: the ways to run the decoder.
#pragma once

#include "core/decode/decode_mode.h"
#include "core/decode/sliding_window.h"
#include "core/networks/roles.h"

#include <string>
#include <vector>

namespace voldiff {

struct DecodeOptions {
    std::string method = "auto";
    Extents roi{80, 80, 80};    // latent voxels, sliding_window only
    double overlap = 0.4;       // sliding_window only
    std::string mode = "auto";  // see decode_mode.h
};

using DecodeProgress = std::function<void(std::size_t done, std::size_t all)>;

// One line a method: the only place that lists them. What a method makes is a function of the latent; its mode is not
// seen in the image.
struct DecodeMethod {
    std::string name;
    std::string help;
    // Latent extents that are decoded at a time, which decide the memory.
    Extents (*extents_at_once)(const Extents& latent, const DecodeOptions& options);
    at::Tensor (*decode)(Autoencoder& autoencoder, const at::Tensor& latent, const DecodeOptions& options,
                         const DecodeProgress& progress);
};
const std::vector<DecodeMethod>& decode_methods();

// Throws Error(config), listing the names.
const DecodeMethod& find_decode_method(const std::string& name);

// latent [1, C, d, h, w], already divided by the scale factor -> image [1, out_channels, D, H, W].
// Throws Error(numerical) where a value is not finite.
at::Tensor decode_latent(Autoencoder& autoencoder, const at::Tensor& latent, const DecodeOptions& options,
                         const DecodeProgress& progress = {});

}  // namespace voldiff

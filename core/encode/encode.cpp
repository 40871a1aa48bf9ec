#include "core/encode/encode.h"

#include "core/decode/decode.h"
#include "core/error.h"
#include "core/pipeline/denoise.h"
#include "core/pipeline/random.h"
#include "core/text.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>

namespace voldiff {

namespace {

// Tensors of the widest level that live at once. Measured on the MAISI encoder: 4.1, and 0.4 GB for the rest of the
// process.
constexpr double encoder_tensors_at_peak = 5;

// Latent extents that are encoded at a time: the decoder's rule, with this method's window.
Extents extents_at_once(const Extents& latent, const EncodeOptions& options) {
    return find_decode_method(options.method).extents_at_once(latent, {options.method, options.roi, options.overlap});
}

Extents times(const Extents& extents, std::int64_t factor) {
    return {extents[0] * factor, extents[1] * factor, extents[2] * factor};
}

// The mean, or a sample, of what the encoder finds in one piece.
class PieceEncoder {
  public:
    PieceEncoder(Autoencoder& autoencoder, const EncodeOptions& options) : autoencoder_(autoencoder) {
        if (options.seed) noise_.emplace(*options.seed);
    }

    at::Tensor operator()(const at::Tensor& piece, const BlockProgress& progress) {
        const LatentDistribution found = autoencoder_.encode(piece, progress);
        return noise_ ? found.mean + noise_->draw_like(found.sigma) * found.sigma : found.mean;
    }

  private:
    Autoencoder& autoencoder_;
    std::optional<NormalNoise> noise_;
};

}  // namespace

double predicted_encode_memory(const AutoencoderKlConfig& config, const Extents& latent) {
    const auto factor = static_cast<double>(config.downsampling());
    const double voxels = static_cast<double>(latent[0]) * static_cast<double>(latent[1]) *
                          static_cast<double>(latent[2]) * factor * factor * factor;
    const auto channels = static_cast<double>(std::max(config.num_channels.front(), config.in_channels));
    return encoder_tensors_at_peak * channels * voxels * sizeof(float);
}

EncodeOptions choose_encode_method(EncodeOptions options, const AutoencoderKlConfig& config, const Extents& latent,
                                   double available) {
    std::vector<std::string> candidates{options.method};
    if (options.method == "auto") candidates = {"whole", "sliding_window"};
    double needed = 0;
    for (const std::string& name : candidates) {
        options.method = name;
        needed = predicted_encode_memory(config, extents_at_once(latent, options));
        if (needed <= available) return options;
    }
    throw Error(ErrorCode::memory,
                "encoding needs about " + gigabytes(needed) + ", expected at most " + gigabytes(available) +
                    "\ntake a smaller volume, or encode with encode.method: sliding_window and a smaller encode.roi, "
                    "or raise runtime.memory_limit");
}

at::Tensor encode_image(Autoencoder& autoencoder, const at::Tensor& image, const EncodeOptions& options,
                        const EncodeProgress& progress) {
    const std::int64_t factor = autoencoder.config().downsampling();
    const Extents latent{image.size(2) / factor, image.size(3) / factor, image.size(4) / factor};
    const Extents window = extents_at_once(latent, options);
    const bool single = window == latent;  // then it is the blocks that make progress
    SlidingWindowOptions windows;
    windows.roi_size = times(window, factor);
    windows.overlap = {options.overlap, options.overlap, options.overlap};
    windows.multiple = factor;
    PieceEncoder encode(autoencoder, options);
    const auto predict = [&](const at::Tensor& piece) { return encode(piece, single ? progress : BlockProgress{}); };
    const at::Tensor found = dynamic_infer(image.to(autoencoder.options()), windows, predict,
                                           single ? WindowProgress{} : WindowProgress(progress))
                                 .to(image.options());
    autoencoder.release_packed_weights();
    check_finite(found, "encoding");
    return found;
}

}  // namespace voldiff

#include "core/decode/decode.h"

#include "core/error.h"
#include "core/pipeline/denoise.h"
#include "core/text.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>

namespace voldiff {

namespace {

// Tensors of the widest level that live at once: the input of a residual block, its hidden state, a convolution's
// output and what oneDNN reorders. Measured on the MAISI decoder.
constexpr double tensors_at_peak = 6.5;

Extents whole_extents(const Extents& latent, const DecodeOptions&) { return latent; }

Extents window_extents(const Extents& latent, const DecodeOptions& options) {
    const auto voxels = [](const Extents& e) { return e[0] * e[1] * e[2]; };
    if (voxels(latent) <= voxels(options.roi)) return latent;
    Extents window{};
    for (std::size_t axis = 0; axis < 3; ++axis) window[axis] = std::min(latent[axis], options.roi[axis]);
    return window;
}

at::Tensor decode_whole(Autoencoder& autoencoder, const at::Tensor& latent, const DecodeOptions&,
                        const DecodeProgress& progress) {
    return autoencoder.decode(latent, progress);
}

at::Tensor decode_in_windows(Autoencoder& autoencoder, const at::Tensor& latent, const DecodeOptions& options,
                             const DecodeProgress& progress) {
    SlidingWindowOptions windows;
    windows.roi_size = options.roi;
    windows.overlap = {options.overlap, options.overlap, options.overlap};
    const Extents size{latent.size(2), latent.size(3), latent.size(4)};
    const bool single = window_extents(size, options) == size;  // then it is the blocks that make progress
    const auto predict = [&](const at::Tensor& window) {
        return autoencoder.decode(window, single ? progress : BlockProgress{});
    };
    return dynamic_infer(latent, windows, predict, single ? WindowProgress{} : progress);
}

}  // namespace

const std::vector<DecodeMethod>& decode_methods() {
    static const std::vector<DecodeMethod> methods = {
        {"whole", "the whole latent at once", whole_extents, decode_whole},
        {"sliding_window", "NV-Generate's rule: in one piece up to the window's size, else blended windows",
         window_extents, decode_in_windows},
    };
    return methods;
}

const DecodeMethod& find_decode_method(const std::string& name) {
    std::string known = "auto";
    for (const DecodeMethod& method : decode_methods()) {
        if (method.name == name) return method;
        known += ", " + method.name;
    }
    throw Error(ErrorCode::config, "'decode.method' is '" + name + "', expected one of " + known);
}

double predicted_decode_memory(const AutoencoderKlConfig& config, const Extents& latent) {
    const auto factor = static_cast<double>(config.downsampling());
    const double voxels = static_cast<double>(latent[0]) * static_cast<double>(latent[1]) *
                          static_cast<double>(latent[2]) * factor * factor * factor;
    const auto channels = static_cast<double>(std::max(config.num_channels.front(), config.out_channels));
    return tensors_at_peak * channels * voxels * sizeof(float);
}

DecodeOptions choose_decode_method(DecodeOptions options, const AutoencoderKlConfig& config, const Extents& latent,
                                   double available) {
    std::vector<std::string> candidates{options.method};
    if (options.method == "auto") candidates = {"whole", "sliding_window"};
    double needed = 0;
    for (const std::string& name : candidates) {
        options.method = name;
        const Extents at_once = find_decode_method(name).extents_at_once(latent, options);
        needed = predicted_decode_memory(config, at_once);
        if (needed <= available) return options;
    }
    throw Error(ErrorCode::memory, "decoding needs about " + gigabytes(needed) + ", expected at most " +
                                       gigabytes(available) +
                                       "\nreduce image.size, or decode with decode.method: sliding_window and a "
                                       "smaller decode.roi, or raise runtime.memory_limit");
}

at::Tensor decode_latent(Autoencoder& autoencoder, const at::Tensor& latent, const DecodeOptions& options,
                         const DecodeProgress& progress) {
    const at::Tensor input = latent.to(autoencoder.options());
    const at::Tensor image =
        find_decode_method(options.method).decode(autoencoder, input, options, progress).to(latent.options());
    check_finite(image, "decoding");
    return image;
}

}  // namespace voldiff

#include "core/decode/decode.h"

#include "core/error.h"
#include "core/pipeline/denoise.h"
#include "core/text.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>

namespace voldiff {

namespace {

Extents whole_extents(const Extents& latent, const DecodeOptions&) { return latent; }

Extents window_extents(const Extents& latent, const DecodeOptions& options) {
    const auto voxels = [](const Extents& e) { return e[0] * e[1] * e[2]; };
    if (voxels(latent) <= voxels(options.roi)) return latent;
    Extents window{};
    for (std::size_t axis = 0; axis < 3; ++axis) window[axis] = std::min(latent[axis], options.roi[axis]);
    return window;
}

at::Tensor in_mode(Autoencoder& autoencoder, const at::Tensor& latent, const DecodeOptions& options,
                   const DecodeProgress& progress) {
    const DecodeMode& mode = options.mode == "auto" ? decode_modes().front() : find_decode_mode(options.mode);
    return autoencoder.decode_streamed(latent, mode.plan, progress);
}

at::Tensor decode_in_windows(Autoencoder& autoencoder, const at::Tensor& latent, const DecodeOptions& options,
                             const DecodeProgress& progress) {
    SlidingWindowOptions windows;
    windows.roi_size = options.roi;
    windows.overlap = {options.overlap, options.overlap, options.overlap};
    const Extents size{latent.size(2), latent.size(3), latent.size(4)};
    const bool single = window_extents(size, options) == size;  // then it is the blocks that make progress
    const auto predict = [&](const at::Tensor& window) {
        return in_mode(autoencoder, window, options, single ? progress : DecodeProgress{});
    };
    return dynamic_infer(latent, windows, predict, single ? WindowProgress{} : progress);
}

}  // namespace

const std::vector<DecodeMethod>& decode_methods() {
    static const std::vector<DecodeMethod> methods = {
        {"whole", "the whole latent at once", whole_extents, in_mode},
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

at::Tensor decode_latent(Autoencoder& autoencoder, const at::Tensor& latent, const DecodeOptions& options,
                         const DecodeProgress& progress) {
    const at::Tensor input = latent.to(autoencoder.options());
    const at::Tensor image =
        find_decode_method(options.method).decode(autoencoder, input, options, progress).to(latent.options());
    autoencoder.release_packed_weights();
    check_finite(image, "decoding");
    return image;
}

}  // namespace voldiff

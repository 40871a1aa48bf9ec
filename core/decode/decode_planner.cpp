#include "core/decode/decode_planner.h"

#include "core/error.h"

#include <algorithm>
#include <sstream>

namespace voldiff {

namespace {

// Tensors of the widest level that live at once where LibTorch decodes: the input of a residual block, its hidden
// state, a convolution's output and what oneDNN reorders. Measured on the MAISI decoder.
constexpr double tensors_of_libtorch = 6.5;

double voxels(const Extents& e) {
    return static_cast<double>(e[0]) * static_cast<double>(e[1]) * static_cast<double>(e[2]);
}

double image_bytes(const AutoencoderKlConfig& config, const Extents& latent, std::int64_t channels) {
    const auto factor = static_cast<double>(config.downsampling());
    return voxels(latent) * factor * factor * factor * static_cast<double>(channels) * sizeof(float);
}

// Of one piece that is decoded at once.
DecodePrediction predict_piece(const Autoencoder& autoencoder, const Extents& latent, const std::string& mode) {
    if (const auto cost = autoencoder.decode_cost(latent, find_decode_mode(mode).plan))
        return {cost->bytes, cost->work};
    const AutoencoderKlConfig& config = autoencoder.config();
    const std::int64_t channels = std::max(config.num_channels.front(), config.out_channels);
    return {tensors_of_libtorch * image_bytes(config, latent, channels), 1};
}

std::string gigabytes(double bytes) {
    std::ostringstream text;
    text.precision(bytes < 1e9 ? 2 : 1);
    text << std::fixed << bytes / 1e9 << " GB";
    return text.str();
}

// Without an own way to decode there is but one mode.
std::vector<std::string> modes_of(const Autoencoder& autoencoder, const Extents& latent, const std::string& wanted) {
    std::vector<std::string> names = decode_mode_names();
    names.erase(names.begin());  // auto
    const bool streams = autoencoder.decode_cost(latent, {}).has_value();
    if (!streams) names.resize(1);
    if (wanted == "auto") return names;
    if (std::find(names.begin(), names.end(), wanted) != names.end()) return {wanted};
    find_decode_mode(wanted);
    throw Error(ErrorCode::config, "'decode.mode' is '" + wanted +
                                       "', but this decoder runs on LibTorch alone; the others need float32 on a CPU "
                                       "that has vector units, weights that are no TorchScript, and no --exact-conv");
}

std::string joined(const DecodeOptions& options) {
    return options.method == "whole" ? options.mode : options.method + " in mode " + options.mode;
}

std::string reason(const DecodeChoice& choice, const DecodePrediction& fastest, const std::string& too_large,
                   double available) {
    std::ostringstream text;
    text << joined(choice.options) << " (" << gigabytes(choice.prediction.bytes) << " predicted";
    const double times = choice.prediction.work / fastest.work;
    text.precision(2);
    if (!too_large.empty()) {
        text << ", " << times << " times the work; " << too_large << " is more than " << gigabytes(available);
    }
    text << ")";
    return text.str();
}

}  // namespace

DecodePrediction predict_decode(const Autoencoder& autoencoder, const Extents& latent, const DecodeOptions& options) {
    const Extents piece = find_decode_method(options.method).extents_at_once(latent, options);
    DecodePrediction prediction = predict_piece(autoencoder, piece, options.mode);
    if (piece == latent) return prediction;
    // The sums of windows and of their weights, and a weighted window.
    const AutoencoderKlConfig& config = autoencoder.config();
    prediction.bytes +=
        image_bytes(config, latent, config.out_channels + 1) + image_bytes(config, piece, config.out_channels);
    const Extents step = scan_interval(latent, piece, {options.overlap, options.overlap, options.overlap});
    prediction.work *= static_cast<double>(dense_patch_starts(latent, piece, step).size());
    return prediction;
}

DecodeChoice choose_decode(const DecodeOptions& options, const Autoencoder& autoencoder, const Extents& latent,
                           double available) {
    std::vector<std::string> methods{options.method};
    if (options.method == "auto") methods = {"whole", "sliding_window"};
    std::optional<DecodePrediction> fastest;
    DecodePrediction least;
    std::string too_large;
    DecodeChoice choice{options, {}, {}};
    for (const std::string& method : methods) {
        choice.options.method = method;
        for (const std::string& mode : modes_of(autoencoder, latent, options.mode)) {
            choice.options.mode = mode;
            choice.prediction = predict_decode(autoencoder, latent, choice.options);
            if (!fastest) fastest = least = choice.prediction;
            if (choice.prediction.bytes <= available) {
                choice.reason = reason(choice, *fastest, too_large, available);
                return choice;
            }
            if (choice.prediction.bytes < least.bytes) least = choice.prediction;
            too_large = gigabytes(choice.prediction.bytes) + " for " + joined(choice.options);
        }
    }
    throw Error(ErrorCode::memory, "decoding needs about " + gigabytes(least.bytes) + ", expected at most " +
                                       gigabytes(available) +
                                       "\nreduce image.size, or decode with decode.mode: auto or, the least of all, "
                                       "multipass, or with decode.method: sliding_window and a smaller decode.roi, or "
                                       "raise runtime.memory_limit");
}

}  // namespace voldiff

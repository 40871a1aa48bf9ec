#include "app/batch/jobs.h"
#include "core/decode/decode_planner.h"

#include <algorithm>

namespace voldiff {

namespace {

constexpr double clearly_less = 0.7;
constexpr std::int64_t least_roi = 8;  // latent voxels

// All ways to decode: every method in every mode that the autoencoder has.
std::vector<DecodeOptions> ways(const DecodeOptions& options, const Autoencoder& autoencoder, const Extents& latent) {
    std::size_t modes = decode_modes().size();
    if (!autoencoder.decode_cost(latent, {})) modes = 1;
    std::vector<DecodeOptions> all;
    for (const DecodeMethod& method : decode_methods()) {
        for (std::size_t mode = 0; mode < modes; ++mode) {
            DecodeOptions way = options;
            way.method = method.name;
            way.mode = decode_modes()[mode].name;
            all.push_back(way);
        }
    }
    return all;
}

DecodeOptions without_auto(DecodeOptions options) {
    if (options.method == "auto") options.method = decode_methods().front().name;
    if (options.mode == "auto") options.mode = decode_modes().front().name;
    return options;
}

}  // namespace

std::optional<DecodeOptions> smaller_decode(const DecodeOptions& options, const Autoencoder& autoencoder,
                                            const Extents& latent) {
    const auto memory_of = [&](const DecodeOptions& way) { return predict_decode(autoencoder, latent, way).bytes; };
    const double most = memory_of(without_auto(options)) * clearly_less;
    std::optional<DecodeOptions> best;
    double best_memory = 0;
    for (DecodeOptions way : ways(options, autoencoder, latent)) {
        while (true) {
            const double memory = memory_of(way);
            if (memory <= most && memory > best_memory) {
                best = way;
                best_memory = memory;
            }
            const std::int64_t largest = *std::max_element(way.roi.begin(), way.roi.end());
            if (memory <= most || largest <= least_roi) break;
            for (std::int64_t& extent : way.roi) extent = std::max(std::min(extent, least_roi), extent / 2);
        }
    }
    return best;
}

}  // namespace voldiff

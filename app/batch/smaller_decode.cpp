#include "app/batch/jobs.h"

#include <algorithm>

namespace voldiff {

namespace {

constexpr double clearly_less = 0.7;
constexpr std::int64_t least_roi = 8;  // latent voxels

double memory_of(const DecodeOptions& options, const AutoencoderKlConfig& config, const Extents& latent) {
    return predicted_decode_memory(config, find_decode_method(options.method).extents_at_once(latent, options));
}

}  // namespace

std::optional<DecodeOptions> smaller_decode(const DecodeOptions& options, const AutoencoderKlConfig& config,
                                            const Extents& latent) {
    const std::string now = options.method == "auto" ? decode_methods().front().name : options.method;
    DecodeOptions current = options;
    current.method = now;
    const double most = memory_of(current, config, latent) * clearly_less;
    std::optional<DecodeOptions> best;
    double best_memory = 0;
    for (const DecodeMethod& method : decode_methods()) {
        DecodeOptions candidate = options;
        candidate.method = method.name;
        while (true) {
            const double memory = memory_of(candidate, config, latent);
            if (memory <= most && memory > best_memory) {
                best = candidate;
                best_memory = memory;
            }
            const std::int64_t largest = *std::max_element(candidate.roi.begin(), candidate.roi.end());
            if (memory <= most || largest <= least_roi) break;
            for (std::int64_t& extent : candidate.roi) extent = std::max(std::min(extent, least_roi), extent / 2);
        }
    }
    return best;
}

}  // namespace voldiff

// Puts the tensors of a checkpoint into a network, strictly: every parameter and buffer gets its tensor, and every
// tensor has its place. What is converted on the way, and what is not, see adapt.h.
#pragma once

#include "core/state_dict/adapt.h"

#include <optional>

namespace voldiff {

// What the tensors of a network become.
struct LoadTarget {
    std::optional<at::ScalarType> type = at::kFloat;  // none: their own type
    at::Device device = at::kCPU;
    bool channels_last = false;  // weights [K, C, 3, 3, 3] in the order K, 3, 3, 3, C
};

// Takes the tensors over, without a copy where they have the wanted type and device. Returns what was converted.
// Throws Error(weights) with `problem()` where they do not match; the network is then unchanged.
std::vector<Change> load_state_dict(Module& network, const StateDict& weights, const LoadTarget& target = {},
                                    const AdaptOptions& options = {});

}  // namespace voldiff

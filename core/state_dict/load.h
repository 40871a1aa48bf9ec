// Puts the tensors of a checkpoint into a network, strictly: every parameter and buffer gets its tensor, and every
// tensor has its place.
//
// The one difference that is let through: a projection (`out_proj`, `proj_attn`) for an attention block that was built
// without one (`include_fc: false`). MAISI was trained with attention blocks that created such a layer and never used
// it.
#pragma once

#include "core/blocks/module.h"
#include "core/state_dict/state_dict.h"

#include <optional>
#include <string>
#include <vector>

namespace voldiff {

// How a checkpoint and a network differ. Names are the network's; `mis_shaped` adds both shapes.
struct StateDictMatch {
    std::size_t matched = 0;
    std::vector<std::string> missing;
    std::vector<std::string> unexpected;
    std::vector<std::string> mis_shaped;
    std::vector<std::string> unused_projections;
    bool data_parallel = false;  // every name of the checkpoint starts with `module.`, which is taken off

    bool exact() const { return missing.empty() && unexpected.empty() && mis_shaped.empty(); }
    // What is wrong, with counts and the first names, on at most three lines. Empty where nothing is.
    std::string problem() const;
};

StateDictMatch match_state_dict(const Module& network, const StateDict& weights);

// What the tensors of a network become.
struct LoadTarget {
    std::optional<at::ScalarType> type = at::kFloat;  // none: their own type
    at::Device device = at::kCPU;
};

// Takes the tensors over, without a copy where they have the wanted type and device.
// Throws Error(weights) with `problem()` where they do not match; the network is then unchanged.
StateDictMatch load_state_dict(Module& network, const StateDict& weights, const LoadTarget& target = {});

}  // namespace voldiff

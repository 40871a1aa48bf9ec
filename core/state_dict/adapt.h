// Brings the tensors of a checkpoint into the form that a network has: its names, fused or separate projections, with
// or without the attention's output projection. Nothing is guessed: what is not an exact conversion is refused, unless
// it was asked for by name.
#pragma once

#include "core/blocks/module.h"
#include "core/state_dict/layout.h"
#include "core/state_dict/state_dict.h"

#include <string>
#include <vector>

namespace voldiff {

// What becomes of the attention's output projections where network and checkpoint differ in them.
enum class ProjectionRule {
    as_saved,  // only what is exact: one that was never applied is left out
    identity,  // one that changes nothing, where the network has a projection and the checkpoint no applied one
    apply,     // apply one that was never applied, as MONAI's load_old_state_dict does: another function
    drop,      // leave out one that was applied: another function
};
const std::vector<std::string>& projection_rule_names();
ProjectionRule projection_rule(const std::string& name);  // throws Error(config)

struct AdaptOptions {
    std::vector<KeyLayout> layouts{native_layout()};  // the network's, its own first
    std::string layout = "auto";                      // or a name of `layouts`
    ProjectionRule projection = ProjectionRule::as_saved;
    // A network that this one started as a copy of, with its weights: what the checkpoint lacks is taken from there,
    // where name and shape are the same. None: what is missing is missing.
    const Module* started_from = nullptr;
};

// One kind of change and the names (the network's) that it was made for.
struct Change {
    std::string what;  // "attention projections joined into qkv (exact)"
    std::vector<std::string> names;
    bool suspicious = false;  // may have changed the function: a warning
};

struct Adaptation {
    StateDict weights;  // the network's names; complete where `problem()` is empty
    std::string layout;
    std::vector<Change> changes;

    // How checkpoint and network differ. Names are the network's; `mis_shaped` adds both shapes.
    std::vector<std::string> missing;
    std::vector<std::string> unexpected;
    std::vector<std::string> mis_shaped;
    std::vector<std::string> refused;  // projections that no exact conversion brings into the network

    bool exact() const { return missing.empty() && unexpected.empty() && mis_shaped.empty() && refused.empty(); }
    // What is wrong, with counts and the first names, on at most three lines. Empty where nothing is.
    std::string problem() const;
};

// Throws Error(weights) for a layout that is unclear, unknown here, or never this network's.
Adaptation adapt_state_dict(const Module& network, const StateDict& weights, const AdaptOptions& options);

// `names`, joined, the first four and how many more.
std::string list_names(const std::vector<std::string>& names);

}  // namespace voldiff

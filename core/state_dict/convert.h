// Rewrites a checkpoint: other names, fused or separate projections, another type.
#pragma once

#include "core/state_dict/adapt.h"

#include <optional>

namespace voldiff {

enum class QkvForm { as_found, fused, separate };

// What becomes of the attention's output projections where the two layouts mean different things by them.
enum class ProjectionForm { unsaid, keep, drop, identity };

struct ConvertOptions {
    std::string layout;  // empty: as found
    QkvForm qkv = QkvForm::as_found;
    ProjectionForm projection = ProjectionForm::unsaid;
    std::optional<at::ScalarType> type;  // none: as found
};

struct Conversion {
    StateDict weights;
    std::string from;  // layouts
    std::string to;
    std::vector<Change> changes;
    // Whether the way back gives every bit again and the function of the network is the same.
    bool lossless = true;
};

// `network`: the one that the weights belong to, or null; needed for the layouts of autoencoders, whose names do not
// tell by themselves. Throws Error(weights) where a choice has to be made, naming the choices.
Conversion convert_state_dict(const StateDict& weights, const Module* network, const std::vector<KeyLayout>& layouts,
                              const ConvertOptions& options);

// What the names of a checkpoint tell of its attention blocks.
struct KeyForm {
    std::string layout;           // by the names alone: an autoencoder's do not tell MAISI's from the others
    std::size_t separate = 0;     // blocks with to_q, to_k, to_v
    std::size_t fused = 0;        // blocks with qkv
    std::size_t projections = 0;  // blocks with an output projection
};
KeyForm key_form_of(const StateDict& weights);

}  // namespace voldiff

#include "io/checkpoint/weights_finder.h"

#include "io/checkpoint/message.h"

#include <algorithm>
#include <array>

namespace voldiff {
namespace {

constexpr std::array<std::string_view, 4> kWeightKeys{"unet_state_dict", "controlnet_state_dict", "state_dict",
                                                      "model"};

std::string list_of(const MappingItems& items) {
    constexpr std::size_t kMost = 8;
    std::string text;
    for (std::size_t i = 0; i < items.size() && i < kMost; ++i) {
        text += (i == 0 ? "" : ", ") + in_quotes(items[i].first);
    }
    return text + (items.size() > kMost ? ", ..." : "");
}

void read_weights(const MappingItems& items, TensorReader& tensors, Checkpoint& checkpoint) {
    for (const auto& [name, value] : items) {
        auto tensor = tensors.read(name, *value);
        if (!tensor) {
            refuse_weights("weight ", in_quotes(name), " is ", describe(*value), ", expected a tensor",
                           checkpoint.weights_at.empty()
                               ? "; found no dict of weights, the file holds " + list_of(items)
                               : std::string());
        }
        checkpoint.weights.insert(name, std::move(*tensor));
    }
}

void read_extras(const MappingItems& items, TensorReader& tensors, Checkpoint& checkpoint) {
    for (const auto& [name, value] : items) {
        if (name == checkpoint.weights_at) {
            continue;
        }
        if (const auto number = number_of(*value)) {
            checkpoint.extra_numbers.emplace(name, *number);
        } else if (const auto tensor = tensors.read(name, *value)) {
            checkpoint.extra_tensors.insert(name, *tensor);
        }
    }
}

// Name and content of the one nested dict of weights, or nothing where the weights are at the top.
std::optional<std::pair<std::string, MappingItems>> find_nested(const MappingItems& items) {
    std::optional<std::pair<std::string, MappingItems>> found;
    for (const auto& [name, value] : items) {
        if (std::find(kWeightKeys.begin(), kWeightKeys.end(), name) == kWeightKeys.end()) {
            continue;
        }
        auto nested = mapping_of(*value);
        if (nested && found) {
            refuse_weights("holds weights under ", in_quotes(found->first), " and under ", in_quotes(name),
                           ", and which are meant is not clear; save one of them alone");
        }
        if (nested) {
            found.emplace(name, std::move(*nested));
        }
    }
    return found;
}

}  // namespace

void find_weights(const Pickle& pickle, TensorReader& tensors, Checkpoint& checkpoint) {
    const auto items = mapping_of(*pickle.root);
    if (!items) {
        refuse_weights("holds ", describe(*pickle.root),
                       ", expected a dict of tensors; save model.state_dict() instead");
    }
    if (const auto nested = find_nested(*items)) {
        checkpoint.weights_at = nested->first;
        read_weights(nested->second, tensors, checkpoint);
        read_extras(*items, tensors, checkpoint);
    } else {
        read_weights(*items, tensors, checkpoint);
    }
    checkpoint.skipped_objects = count_foreign_objects(pickle);
}

}  // namespace voldiff

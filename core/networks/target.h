// Picks what belongs to MONAI's `_target_` class name.
#pragma once

#include "core/error.h"

#include <string>
#include <utility>
#include <vector>

namespace voldiff {

// The entry whose name is the last part of `target` ("monai.networks.nets.autoencoderkl.AutoencoderKL" ends in
// "AutoencoderKL"). Throws Error(config), listing the names.
template <class Value>
const Value& find_target(const std::vector<std::pair<std::string, Value>>& table, const std::string& target) {
    const std::string name = target.substr(target.rfind('.') + 1);  // npos + 1 is 0
    std::string known;
    for (const auto& [key, value] : table) {
        if (key == name) return value;
        known += (known.empty() ? "" : ", ") + key;
    }
    throw Error(ErrorCode::config, "unknown class '" + target + "'; known here: " + known);
}

}  // namespace voldiff

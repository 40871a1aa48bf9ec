// How much of a decoder's volumes is kept in memory: the same image, with more or less computed again.
#pragma once

#include "core/blocks/level_plan.h"

#include <string>
#include <vector>

namespace voldiff {

// One line a mode: the only place that lists them.
struct DecodeMode {
    std::string name;
    std::string help;
    StreamPlan plan;
};
// Fastest first, which is largest first.
const std::vector<DecodeMode>& decode_modes();
// With "auto" before them.
std::vector<std::string> decode_mode_names();

// Throws Error(config), listing the names.
const DecodeMode& find_decode_mode(const std::string& name);

}  // namespace voldiff

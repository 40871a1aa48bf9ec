#include "core/decode/decode_mode.h"

#include "core/error.h"

namespace voldiff {

// Memory is in tensors of the finest level's channels and extents, for two residual blocks a level and channels that
// double from level to level.
const std::vector<DecodeMode>& decode_modes() {
    constexpr LevelPlan all{true, true, true};
    constexpr LevelPlan blocks{false, false, true};
    constexpr LevelPlan nothing{false, false, false};
    static const std::vector<DecodeMode> modes = {
        {"store", "nothing is computed twice (2.25 tensors of the finest level)", {all}},
        {"min", "the finest level keeps the output of a block alone (1.25 tensors)", {blocks}},
        {"multipass", "nothing of it is kept, it is made anew for each norm (0.31 tensors)", {nothing, blocks}},
    };
    return modes;
}

std::vector<std::string> decode_mode_names() {
    std::vector<std::string> names{"auto"};
    for (const DecodeMode& mode : decode_modes()) names.push_back(mode.name);
    return names;
}

const DecodeMode& find_decode_mode(const std::string& name) {
    std::string known = "auto";
    for (const DecodeMode& mode : decode_modes()) {
        if (mode.name == name) return mode;
        known += ", " + mode.name;
    }
    throw Error(ErrorCode::config, "'decode.mode' is '" + name + "', expected one of " + known);
}

}  // namespace voldiff

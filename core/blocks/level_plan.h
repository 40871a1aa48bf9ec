// What a streamed network keeps in memory.
#pragma once

#include <vector>

namespace voldiff {

// Which streamed volumes of a level are kept; the others are made again whenever they are read.
struct LevelPlan {
    bool upsampled = true;  // what the level begins with
    bool hidden = true;     // between the two convolutions of a residual block
    bool output = true;     // of a block
};

// By level, the finest first. Levels that it does not name keep everything.
using StreamPlan = std::vector<LevelPlan>;

inline LevelPlan plan_of_level(const StreamPlan& plan, std::size_t level) {
    return level < plan.size() ? plan[level] : LevelPlan();
}

}  // namespace voldiff

// What is done with each kind of case.
#pragma once

#include "tests/reference/case.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace voldiff::reference {

// Throws NotCovered for a case that is not checked; any other exception is a failure of the case.
using Check = std::function<void(const Case& reference, Comparison& comparison)>;

void check_module(const Case& reference, Comparison& comparison);
void check_layout_pair(const Case& reference, Comparison& comparison);
void check_function(const Case& reference, Comparison& comparison);
void check_scheduler(const Case& reference, Comparison& comparison);
void check_timestep_table(const Case& reference, Comparison& comparison);
void check_sliding_window(const Case& reference, Comparison& comparison);
void check_window_table(const Case& reference, Comparison& comparison);
// A function of labels or volumes, by the last part of its name.
void check_anatomy(const Case& reference, const std::string& function, Comparison& comparison);
void check_validation(const Case& reference, Comparison& comparison);
void check_spacing_table(const Case& reference, Comparison& comparison);
void check_noise(const Case& reference, Comparison& comparison);
void check_legacy(const Case& reference, Comparison& comparison);
void check_torchscript(const Case& reference, Comparison& comparison);
void check_checkpoints(const Case& reference, Comparison& comparison);
void check_pipeline(const Case& reference, Comparison& comparison);
void check_errors(const Case& reference, Comparison& comparison);

inline const std::vector<std::pair<std::string, Check>>& checks() {
    static const std::vector<std::pair<std::string, Check>> table = {
        {"module", check_module},
        {"layout_pair", check_layout_pair},
        {"function", check_function},
        {"scheduler", check_scheduler},
        {"timestep_table", check_timestep_table},
        {"sliding_window", check_sliding_window},
        {"window_table", check_window_table},
        {"validation", check_validation},
        {"spacing_table", check_spacing_table},
        {"rng", check_noise},
        {"legacy", check_legacy},
        {"torchscript", check_torchscript},
        {"checkpoints", check_checkpoints},
        {"pipeline", check_pipeline},
        {"errors", check_errors},
    };
    return table;
}

}  // namespace voldiff::reference

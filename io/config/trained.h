// Whether a run asks for what its model was trained for.
#pragma once

#include "io/config/run_config.h"

namespace voldiff {

// Throws Error(config) with everything that is outside, a line each: what was asked for, the limit, and what to do.
void check_trained(const RunConfig& run);

}  // namespace voldiff

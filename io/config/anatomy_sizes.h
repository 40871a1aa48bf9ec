// `mask.controllable_anatomy_size`: how large organs and tumours of a generated mask shall be.
#pragma once

#include "core/anatomy/size_condition.h"
#include "io/config/run_config.h"

namespace voldiff {

// From {liver: 0.5, hepatic tumor: 0.3}; empty where the option is not given. Throws Error(config), with the place,
// where a size is no number.
std::vector<AnatomySize> anatomy_sizes(const MaskSection& mask);

}  // namespace voldiff

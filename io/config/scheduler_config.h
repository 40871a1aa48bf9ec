// From the model's `noise_scheduler` and the run's `sampling.scheduler` to a scheduler that is ready to use.
#pragma once

#include "io/config/node.h"
#include "io/config/problems.h"

#include <memory>
#include <string>

namespace voldiff {

class Scheduler;  // core/schedulers/scheduler.h

// Where the two maps are, for messages.
struct SchedulerPaths {
    std::string model = "network.noise_scheduler";
    std::string overrides = "sampling.scheduler";
};

// Those of the masks' scheduler.
inline const SchedulerPaths mask_scheduler_paths = {"network.mask_generation_noise_scheduler", "mask.scheduler"};

// The class is `type` or `_target_` of `overrides`, else of `model`. The options are the model's with the overrides
// over them: the noise schedule belongs to the model, so another class inherits it; of the model's options it takes
// those that it has. An override that the class does not have is a problem, and so is a class that needs a noise
// schedule where the model has none (or the other way round). Returns null where there were problems.
std::unique_ptr<Scheduler> read_scheduler(const Node& model, const Node& overrides, Problems& problems,
                                          const SchedulerPaths& paths = {});

}  // namespace voldiff

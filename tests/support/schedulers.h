// Schedulers from a line of YAML, and sampling with a function in place of the network.
#pragma once

#include "core/schedulers/scheduler.h"
#include "io/config/scheduler_config.h"
#include "io/config/yaml.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>

namespace voldiff {

inline std::unique_ptr<Scheduler> scheduler_of(const std::string& yaml) {
    Problems problems;
    auto scheduler = read_scheduler(parse_yaml(yaml, "test"), make_map(), problems);
    problems.throw_if_any();
    return scheduler;
}

using StandInNetwork = std::function<at::Tensor(const at::Tensor& sample, const at::Tensor& timestep)>;

// From `sample` along all timesteps. No noise: a scheduler that draws some throws.
inline at::Tensor run_scheduler(Scheduler& scheduler, const StandInNetwork& network, at::Tensor sample) {
    for (std::int64_t i = 0; i < scheduler.timesteps().numel(); ++i) {
        const at::Tensor output = network(sample, scheduler.timesteps()[i]);
        sample = scheduler.step(output, i, sample, {}).previous_sample;
    }
    return sample;
}

}  // namespace voldiff

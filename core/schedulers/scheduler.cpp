#include "core/schedulers/scheduler.h"

#include "core/error.h"

#include <ATen/core/Tensor.h>

namespace voldiff {

void Scheduler::skip_steps(std::int64_t steps) { timesteps_ = timesteps_.slice(0, steps); }

SchedulerStep Scheduler::step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                              const NoiseSource& noise) {
    const std::int64_t count = timesteps_.defined() ? timesteps_.numel() : 0;
    if (index >= 0 && index < count) return take_step(model_output, index, sample, noise);
    throw Error(ErrorCode::internal, "scheduler: step " + std::to_string(index) + " of " + std::to_string(count) +
                                         " timesteps is asked for; call set_timesteps first, then each step once");
}

void Scheduler::check_steps(std::int64_t steps, std::int64_t least, std::int64_t most, const std::string& limit) {
    if (steps >= least && steps <= most) return;
    throw Error(ErrorCode::config, "'sampling.steps' is " + std::to_string(steps) + ", expected " +
                                       std::to_string(least) + " to " + std::to_string(most) + " (" + limit + ")");
}

void Scheduler::check_steps(std::int64_t steps, std::int64_t num_train_timesteps) {
    check_steps(steps, 1, num_train_timesteps, "num_train_timesteps of the model's scheduler");
}

}  // namespace voldiff

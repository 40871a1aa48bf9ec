#include "core/schedulers/rflow_heun.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

namespace voldiff {

void RFlowHeunScheduler::set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) {
    ExactFlowScheduler::set_timesteps(num_inference_steps, latent_voxels);
    timesteps_ = at::cat({timesteps_.slice(0, 0, 1), timesteps_.slice(0, 1).repeat_interleave(2)});
}

void RFlowHeunScheduler::skip_steps(std::int64_t steps) {
    const at::Tensor left = timesteps_.slice(0, 2 * steps);  // the entries of whole intervals
    ExactFlowScheduler::skip_steps(steps);
    timesteps_ = left;
}

SchedulerStep RFlowHeunScheduler::take_step(const at::Tensor& model_output, std::int64_t index,
                                            const at::Tensor& sample, const NoiseSource& /*noise*/) {
    const bool predictor = index % 2 == 0;
    const double dt = interval(static_cast<std::size_t>(index / 2));
    const at::Tensor original = sample + model_output * times()[static_cast<std::size_t>((index + 1) / 2)];
    if (!predictor) return {start_ + (velocity_ + model_output) * (dt / 2), original};
    start_ = sample;
    velocity_ = model_output;
    return {sample + model_output * dt, original};
}

}  // namespace voldiff

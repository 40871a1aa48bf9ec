#include "core/schedulers/ddim.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

void DDIMScheduler::visit_options(OptionVisitor& v) {
    VPScheduler::visit_options(v);
    prediction_.visit_options(v);
    v.visit(Option("set_alpha_to_one", "end without noise; false: at the noise of timestep 0"), set_alpha_to_one_);
    v.visit(Option("steps_offset", "added to every timestep").in(0, 1e6), steps_offset_);
    v.visit(Option("eta", "share of DDPM's noise in a step").in(0, 1), eta_);
}

void DDIMScheduler::set_timesteps(std::int64_t num_inference_steps, std::int64_t /*latent_voxels*/) {
    check_steps(num_inference_steps, num_train_timesteps());
    const std::int64_t ratio = num_train_timesteps() / num_inference_steps;
    if (steps_offset_ >= ratio) {
        throw Error(ErrorCode::config, "'steps_offset' is " + std::to_string(steps_offset_) + ", expected less than " +
                                           std::to_string(ratio) + " (num_train_timesteps / sampling.steps)");
    }
    timesteps_ = leading_timesteps(num_inference_steps) + steps_offset_;
    stride_ = ratio;
}

SchedulerStep DDIMScheduler::take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                                       const NoiseSource& noise) {
    const auto t = timesteps_[index].item<std::int64_t>();
    const at::Tensor alpha = alpha_prod(t);
    const at::Tensor previous = alpha_prod(t - stride_, set_alpha_to_one_);
    const Prediction predicted = prediction_.predict(model_output, sample, alpha.sqrt(), (1 - alpha).sqrt());
    // Formula (16), then (12).
    const at::Tensor deviation = eta_ * ((1 - previous) / (1 - alpha) * (1 - alpha / previous)).sqrt();
    const at::Tensor direction = (1 - previous - deviation.pow(2)).sqrt() * predicted.epsilon;
    at::Tensor next = previous.sqrt() * predicted.original + direction;
    if (eta_ > 0) next = next + deviation * noise(model_output);
    return {next, predicted.original};
}

}  // namespace voldiff

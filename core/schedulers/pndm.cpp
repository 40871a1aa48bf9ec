#include "core/schedulers/pndm.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

namespace voldiff {

namespace {

// The first steps: each timestep and the middle of the way to the next, those between two steps twice.
// 900, 850, 850, 800, 800, 750, 750, 700, ...
std::vector<std::int64_t> runge_kutta_timesteps(const at::Tensor& plain, std::int64_t steps, std::int64_t ratio) {
    std::vector<std::int64_t> list;
    for (std::int64_t i = 0; i < steps; ++i) {
        const auto begin = plain[i].item<std::int64_t>();
        const auto end = plain[i + 1].item<std::int64_t>();
        const std::int64_t middle = end + ratio / 2;
        list.insert(list.end(), {begin, middle, middle, end});
    }
    return list;
}

}  // namespace

void PNDMScheduler::visit_options(OptionVisitor& v) {
    VPScheduler::visit_options(v);
    v.visit(Option("skip_prk_steps", "start with lower orders in place of Runge-Kutta steps"), skip_prk_steps_);
    v.visit(Option("set_alpha_to_one", "end without noise; false: at the noise of timestep 0"), set_alpha_to_one_);
    v.visit(Option("prediction_type", "what the network predicts").one_of({"epsilon", "v_prediction"}),
            prediction_.prediction_type);
    v.visit(Option("steps_offset", "added to every timestep").in(0, 1e6), steps_offset_);
}

void PNDMScheduler::set_timesteps(std::int64_t num_inference_steps, std::int64_t /*latent_voxels*/) {
    check_steps(num_inference_steps, num_train_timesteps());
    if (!skip_prk_steps_) {
        // Beyond, MONAI's stride is 0 and no step changes anything.
        check_steps(num_inference_steps, 4, num_train_timesteps() - 9,
                    "pndm makes 9 network calls more of it for Runge-Kutta steps; or set skip_prk_steps");
    }
    plain_ = leading_timesteps(num_inference_steps) + steps_offset_;
    ratio_ = num_train_timesteps() / num_inference_steps;
    if (plain_[0].item<std::int64_t>() >= num_train_timesteps()) {
        throw Error(ErrorCode::config, "'steps_offset' is " + std::to_string(steps_offset_) +
                                           ", expected less: it goes past the last of " +
                                           std::to_string(num_train_timesteps()) + " training timesteps");
    }
    list_timesteps();
    // Of the number of entries, as in MONAI: with Runge-Kutta steps it is less than the timesteps are apart.
    stride_ = num_train_timesteps() / timesteps_.numel();
}

void PNDMScheduler::skip_steps(std::int64_t steps) {
    plain_ = plain_.slice(0, steps);
    list_timesteps();
}

void PNDMScheduler::list_timesteps() {
    const std::int64_t most = std::max<std::int64_t>(plain_.numel() - 1, 0);
    const std::int64_t first_steps = skip_prk_steps_ ? 0 : std::min<std::int64_t>(3, most);
    std::vector<std::int64_t> list = runge_kutta_timesteps(plain_, first_steps, ratio_);
    for (std::int64_t i = first_steps; i < plain_.numel(); ++i) list.push_back(plain_[i].item<std::int64_t>());
    timesteps_ = at::tensor(list, at::kLong);
    first_calls_ = 4 * first_steps;
    outputs_.clear();
}

SchedulerStep PNDMScheduler::take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                                       const NoiseSource& /*noise*/) {
    const at::Tensor alpha = alpha_prod(timestep(index));
    // MONAI gives none; this is what the network says here, whatever the method makes of it.
    const at::Tensor original = prediction_.predict(model_output, sample, alpha.sqrt(), (1 - alpha).sqrt()).original;
    const bool starting = index < first_calls_;
    return {starting ? runge_kutta_step(model_output, index, sample) : multistep(model_output, index, sample),
            original};
}

// The classical method: weights 1/6, 1/3, 1/3, 1/6. Every call starts again from the sample and the timestep of the
// first of its four. How far it goes mixes the list's distance with MONAI's smaller stride.
at::Tensor PNDMScheduler::runge_kutta_step(const at::Tensor& output, std::int64_t index, const at::Tensor& sample) {
    const std::int64_t stage = index % 4;
    at::Tensor used = output;
    if (stage == 0) {
        outputs_.push_back(output);
        start_ = sample;
        weighted_ = output / 6;
    } else if (stage < 3) {
        weighted_ = weighted_ + output / 3;
    } else {
        used = weighted_ + output / 6;
    }
    const std::int64_t previous = timestep(index) - (index % 2 == 0 ? stride_ / 2 : 0);
    return transfer(start_, timestep(index - stage), previous, used);
}

// Adams-Bashforth over the outputs so far.
at::Tensor PNDMScheduler::multistep(const at::Tensor& output, std::int64_t index, const at::Tensor& sample) {
    if (index == 1 && first_calls_ == 0) return repeated_first_step(output);
    if (index == 0) start_ = sample;
    if (outputs_.size() == 4) outputs_.erase(outputs_.begin());
    outputs_.push_back(output);
    const auto ago = [this](std::size_t calls) { return outputs_[outputs_.size() - 1 - calls]; };
    at::Tensor used = output;
    if (outputs_.size() == 2) used = (3 * ago(0) - ago(1)) / 2;
    if (outputs_.size() == 3) used = (23 * ago(0) - 16 * ago(1) + 5 * ago(2)) / 12;
    if (outputs_.size() == 4) used = (55 * ago(0) - 59 * ago(1) + 37 * ago(2) - 9 * ago(3)) / 24;
    return transfer(sample, timestep(index), timestep(index) - stride_, used);
}

// The second call without Runge-Kutta steps does the first step again, with the mean of both outputs. The list of
// timesteps has no entry for that, so that from here on samples are one interval behind their timesteps, as in MONAI.
at::Tensor PNDMScheduler::repeated_first_step(const at::Tensor& output) {
    return transfer(start_, timestep(1) + stride_, timestep(1), (output + outputs_.back()) / 2);
}

// Formula (9).
at::Tensor PNDMScheduler::transfer(const at::Tensor& sample, std::int64_t t, std::int64_t previous,
                                   const at::Tensor& output) const {
    const at::Tensor alpha = alpha_prod(t);
    const at::Tensor next = alpha_prod(previous, set_alpha_to_one_);
    const at::Tensor epsilon = prediction_.predict(output, sample, alpha.sqrt(), (1 - alpha).sqrt()).epsilon;
    const at::Tensor divisor = alpha * (1 - next).sqrt() + (alpha * (1 - alpha) * next).sqrt();
    return (next / alpha).sqrt() * sample - (next - alpha) * epsilon / divisor;
}

}  // namespace voldiff

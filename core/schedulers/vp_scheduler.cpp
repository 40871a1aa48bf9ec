#include "core/schedulers/vp_scheduler.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>

namespace voldiff {

void VPScheduler::visit_options(OptionVisitor& v) { config_.visit_options(v); }

void VPScheduler::prepare() { schedule_ = make_noise_schedule(config_); }

at::Tensor VPScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                  const at::Tensor& timesteps) const {
    return schedule_.add_noise(original, noise, timesteps);
}

at::Tensor VPScheduler::alpha_prod(std::int64_t t, bool ends_at_one) const {
    if (t < 0 && ends_at_one) return at::ones({});
    return schedule_.alphas_cumprod[t < 0 ? 0 : t];
}

at::Tensor VPScheduler::leading_timesteps(std::int64_t steps) const {
    return (at::arange(steps, at::kLong) * (config_.num_train_timesteps / steps)).flip(0);
}

}  // namespace voldiff

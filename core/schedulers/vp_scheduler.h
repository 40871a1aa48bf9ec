// What the samplers of DDPM-trained models share: the variance-preserving noise schedule, which is the model's.
// Source: monai/networks/schedulers/scheduler.py (Scheduler).
#pragma once

#include "core/schedulers/scheduler.h"

namespace voldiff {

class VPScheduler : public Scheduler {
  public:
    void visit_options(OptionVisitor& visitor) override;
    void prepare() override;
    at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                         const at::Tensor& timesteps) const override;
    const NoiseSchedule* noise_schedule() const override { return &schedule_; }

  protected:
    std::int64_t num_train_timesteps() const { return config_.num_train_timesteps; }
    const NoiseSchedule& schedule() const { return schedule_; }
    // alphas_cumprod[t], 0-dimensional; after the last step (t < 0) it is 1, or else that of timestep 0.
    at::Tensor alpha_prod(std::int64_t t, bool ends_at_one = true) const;
    // (steps - 1) ratio, ..., ratio, 0 with ratio = num_train_timesteps / steps, rounded down. int64, [steps]
    at::Tensor leading_timesteps(std::int64_t steps) const;

  private:
    NoiseScheduleConfig config_;
    NoiseSchedule schedule_;
};

}  // namespace voldiff

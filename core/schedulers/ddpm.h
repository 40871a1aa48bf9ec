// Denoising diffusion probabilistic models (Ho et al. 2020, arXiv:2006.11239).
// Source: monai/networks/schedulers/ddpm.py (DDPMScheduler). As there, the previous step is always t - 1 of the
// training schedule, also with fewer inference steps.
#pragma once

#include "core/schedulers/scheduler.h"

namespace voldiff {

class DDPMScheduler : public Scheduler {
  public:
    void visit_options(OptionVisitor& visitor) override;
    void prepare() override;
    void set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) override;
    SchedulerStep step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                       const NoiseSource& noise) override;
    at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                         const at::Tensor& timesteps) const override;

    const NoiseSchedule* noise_schedule() const override { return &schedule_; }

  private:
    at::Tensor predict_original(const at::Tensor& output, const at::Tensor& sample, const at::Tensor& alpha_prod) const;
    at::Tensor variance(std::int64_t t, const at::Tensor& predicted) const;
    at::Tensor alpha_prod(std::int64_t t) const;  // 1 before the first timestep

    NoiseScheduleConfig config_;
    std::string variance_type_ = "fixed_small";
    bool clip_sample_ = true;
    std::string prediction_type_ = "epsilon";
    double clip_sample_min_ = -1;
    double clip_sample_max_ = 1;
    NoiseSchedule schedule_;
};

}  // namespace voldiff

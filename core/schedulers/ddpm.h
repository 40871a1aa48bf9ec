// Denoising diffusion probabilistic models (Ho et al. 2020, arXiv:2006.11239).
// Source: monai/networks/schedulers/ddpm.py (DDPMScheduler). As there, the previous step is always t - 1 of the
// training schedule, also with fewer inference steps.
#pragma once

#include "core/schedulers/prediction.h"
#include "core/schedulers/vp_scheduler.h"

namespace voldiff {

class DDPMScheduler : public VPScheduler {
  public:
    void visit_options(OptionVisitor& visitor) override;
    void set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) override;

  protected:
    SchedulerStep take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                            const NoiseSource& noise) override;

  private:
    at::Tensor variance(std::int64_t t, const at::Tensor& predicted) const;

    std::string variance_type_ = "fixed_small";
    PredictionOptions prediction_;
};

}  // namespace voldiff

// Denoising diffusion implicit models (Song et al. 2020, arXiv:2010.02502): deterministic with eta 0.
// Source: monai/networks/schedulers/ddim.py (DDIMScheduler). As there, noise is drawn at every step where eta > 0, the
// last included. There the constructor fails with a steps_offset, for it tries 1000 steps; here it is an option.
#pragma once

#include "core/schedulers/prediction.h"
#include "core/schedulers/vp_scheduler.h"

namespace voldiff {

class DDIMScheduler : public VPScheduler {
  public:
    void visit_options(OptionVisitor& visitor) override;
    // Throws Error(config) where steps_offset would go past the last training timestep, too.
    void set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) override;

  protected:
    SchedulerStep take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                            const NoiseSource& noise) override;

  private:
    PredictionOptions prediction_;
    bool set_alpha_to_one_ = true;
    std::int64_t steps_offset_ = 0;
    double eta_ = 0;           // MONAI takes it with every step
    std::int64_t stride_ = 0;  // timesteps between two steps
};

}  // namespace voldiff

// Pseudo numerical methods for diffusion models (Liu et al. 2022, arXiv:2202.09778): a linear multistep method of order
// 4, started by three Runge-Kutta steps or, with skip_prk_steps, by lower orders.
// Source: monai/networks/schedulers/pndm.py (PNDMScheduler), whose ways with the step size are kept, see the source.
//
// Network calls for n steps: n + 9 (a Runge-Kutta step takes four), or n with skip_prk_steps.
#pragma once

#include "core/schedulers/prediction.h"
#include "core/schedulers/vp_scheduler.h"

#include <vector>

namespace voldiff {

class PNDMScheduler : public VPScheduler {
  public:
    PNDMScheduler() { prediction_.clip_sample = false; }  // it has no such option

    void visit_options(OptionVisitor& visitor) override;
    // Throws Error(config) for less than 4 steps with Runge-Kutta steps, and past the last training timestep.
    void set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) override;
    // Fewer than four steps that are left take fewer Runge-Kutta steps.
    void skip_steps(std::int64_t steps) override;

  protected:
    SchedulerStep take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                            const NoiseSource& noise) override;

  private:
    void list_timesteps();
    at::Tensor runge_kutta_step(const at::Tensor& output, std::int64_t index, const at::Tensor& sample);
    at::Tensor multistep(const at::Tensor& output, std::int64_t index, const at::Tensor& sample);
    at::Tensor repeated_first_step(const at::Tensor& output);
    at::Tensor transfer(const at::Tensor& sample, std::int64_t t, std::int64_t previous,
                        const at::Tensor& output) const;
    std::int64_t timestep(std::int64_t index) const { return timesteps_[index].item<std::int64_t>(); }

    bool skip_prk_steps_ = false;
    bool set_alpha_to_one_ = false;
    std::int64_t steps_offset_ = 0;
    PredictionOptions prediction_;

    std::int64_t ratio_ = 0;           // timesteps between two entries of plain_
    at::Tensor plain_;                 // one timestep a step
    std::int64_t first_calls_ = 0;     // of Runge-Kutta steps, four each
    std::int64_t stride_ = 0;          // timesteps between two steps
    std::vector<at::Tensor> outputs_;  // the latest of them last, at most 4
    at::Tensor weighted_;              // sum of a Runge-Kutta step so far
    at::Tensor start_;                 // where the Runge-Kutta step, or the repeated first step, began
};

}  // namespace voldiff

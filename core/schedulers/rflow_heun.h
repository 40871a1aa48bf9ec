// Heun's method for rectified flow: second order, the mean of the velocities at both ends of an interval.
// Source: Karras et al. 2022, arXiv:2206.00364, algorithm 1 without noise, on the flow of MONAI's RFlowScheduler.
//
// `steps` counts intervals. Each takes two network calls, but the last takes one (at time 0 there is no noise left to
// predict): timesteps() has 2 steps - 1 entries, predictor and corrector in turn: t0, t1, t1, t2, t2, ..., and `step`
// remembers the predictor. For the calls of 30 steps of rflow take 15.
#pragma once

#include "core/schedulers/flow_scheduler.h"

namespace voldiff {

class RFlowHeunScheduler : public ExactFlowScheduler {
  public:
    void set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) override;
    void skip_steps(std::int64_t steps) override;

  protected:
    SchedulerStep take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                            const NoiseSource& noise) override;

  private:
    at::Tensor start_;     // the sample where the interval begins
    at::Tensor velocity_;  // and the network's prediction there
};

}  // namespace voldiff

// Adams-Bashforth of second order for rectified flow, with steps of any length: one network call a step, the velocity
// extrapolated from the last two calls. The first step is Euler's.
// Source: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, section III.5, on the flow of MONAI's
// RFlowScheduler.
#pragma once

#include "core/schedulers/flow_scheduler.h"

namespace voldiff {

class RFlowAB2Scheduler : public ExactFlowScheduler {
  protected:
    SchedulerStep take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                            const NoiseSource& noise) override;

  private:
    at::Tensor velocity_;  // the network's prediction one step before
};

}  // namespace voldiff

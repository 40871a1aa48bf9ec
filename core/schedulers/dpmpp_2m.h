// DPM-Solver++(2M): second order, multistep, one network call a step, deterministic.
// Source: Lu et al. 2022, arXiv:2211.01095, algorithm 2. MONAI has none.
#pragma once

#include "core/schedulers/log_snr_scheduler.h"

namespace voldiff {

class DPMSolverPP2MScheduler : public LogSnrScheduler {
  protected:
    SchedulerStep take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                            const NoiseSource& noise) override;

  private:
    at::Tensor previous_original_;  // x_0 as predicted one step before
};

}  // namespace voldiff

// UniPC-2: a predictor of second order and a corrector that makes it third, without a further network call: the
// prediction that corrects a step is the one that begins the next. Data prediction, B(h) = e^h - 1 (`bh2`).
// Source: Zhao et al. 2023, arXiv:2302.04867, algorithms 1 and 2 with appendix E.4. MONAI has none.
#pragma once

#include "core/schedulers/log_snr_scheduler.h"

namespace voldiff {

class UniPCScheduler : public LogSnrScheduler {
  protected:
    SchedulerStep take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                            const NoiseSource& noise) override;

  private:
    at::Tensor corrected(const at::Tensor& x0, std::int64_t index) const;
    at::Tensor predicted(const at::Tensor& sample, const at::Tensor& x0, std::int64_t index) const;

    at::Tensor sample_;           // at the point before, corrected
    at::Tensor original_;         // x_0 as predicted there
    at::Tensor before_original_;  // and one point earlier
};

}  // namespace voldiff

#include "core/schedulers/dpmpp_2m.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

SchedulerStep DPMSolverPP2MScheduler::take_step(const at::Tensor& model_output, std::int64_t index,
                                                const at::Tensor& sample, const NoiseSource& /*noise*/) {
    const at::Tensor x0 = original(model_output, index, sample);
    at::Tensor used = x0;
    // x_0 in the middle of the step, extrapolated in lambda. The last step is infinitely long: first order there.
    if (index > 0 && !is_last(index)) {
        const double r = step_length(index - 1) / step_length(index);
        used = (1 + 0.5 / r) * x0 - 0.5 / r * previous_original_;
    }
    previous_original_ = x0;
    return {advance(sample, used, index), x0};
}

}  // namespace voldiff

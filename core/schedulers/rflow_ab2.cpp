#include "core/schedulers/rflow_ab2.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

SchedulerStep RFlowAB2Scheduler::take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                                           const NoiseSource& /*noise*/) {
    const auto i = static_cast<std::size_t>(index);
    at::Tensor velocity = model_output;
    if (i > 0) {
        // In the middle of the step, on the line through the last two.
        const double reach = interval(i) / interval(i - 1) / 2;
        velocity = (1 + reach) * model_output - reach * velocity_;
    }
    velocity_ = model_output;
    return {sample + velocity * interval(i), sample + model_output * times()[i]};
}

}  // namespace voldiff

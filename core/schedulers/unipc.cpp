#include "core/schedulers/unipc.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>

namespace voldiff {

SchedulerStep UniPCScheduler::take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                                        const NoiseSource& /*noise*/) {
    // Of the sample that the network saw, not of the corrected one.
    const at::Tensor x0 = original(model_output, index, sample);
    const at::Tensor start = index == 0 ? sample : corrected(x0, index);
    const at::Tensor next = predicted(start, x0, index);
    sample_ = start;
    before_original_ = original_;
    original_ = x0;
    return {next, x0};
}

// UniC: the step to `index` again, now that x_0 is known at its end. The weights make it exact where x_0 is a
// polynomial in lambda through the points at hand: of degree 1 after the first step, then 2.
at::Tensor UniPCScheduler::corrected(const at::Tensor& x0, std::int64_t index) const {
    const double h = step_length(index - 1);
    const double scale = std::expm1(-h);  // B(h)
    const at::Tensor base = advance(sample_, original_, index - 1);
    if (index == 1) return base - point(index).alpha * scale * 0.5 * (x0 - original_);
    const double phi = scale / -h - 1;
    const double first = phi / scale;
    const double second = 2 * (phi / -h - 0.5) / scale;
    const double r = -step_length(index - 2) / h;
    const double before_weight = (first - second) / (1 - r);
    const at::Tensor change =
        before_weight / r * (before_original_ - original_) + (first - before_weight) * (x0 - original_);
    return base - point(index).alpha * scale * change;
}

// UniP: from `sample` to the point after `index`. The last step is infinitely long: first order there.
at::Tensor UniPCScheduler::predicted(const at::Tensor& sample, const at::Tensor& x0, std::int64_t index) const {
    at::Tensor base = advance(sample, x0, index);
    if (index == 0 || is_last(index)) return base;
    const double h = step_length(index);
    const double r = -step_length(index - 1) / h;
    return base - point(index + 1).alpha * std::expm1(-h) * 0.5 / r * (original_ - x0);
}

}  // namespace voldiff

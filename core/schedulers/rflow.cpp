#include "core/schedulers/rflow.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <limits>

namespace voldiff {

namespace {

// numpy's float64 -> float16 rounds once; LibTorch goes through float32 and so may round twice. A float32 that fell on
// the middle between two float16 values is moved back to the side of the float64 value.
at::Tensor to_float16(const at::Tensor& values) {
    const at::Tensor exact = values.to(at::kDouble).contiguous();
    at::Tensor single = exact.to(at::kFloat);
    const double* from = exact.data_ptr<double>();
    auto* to = single.data_ptr<float>();
    for (std::int64_t i = 0; i < exact.numel(); ++i) {
        const double error = from[i] - static_cast<double>(to[i]);
        if (error == 0) continue;
        to[i] = std::nextafter(
            to[i], error > 0 ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity());
    }
    return single.to(at::kHalf);
}

}  // namespace

void RFlowScheduler::visit_options(OptionVisitor& v) {
    FlowScheduler::visit_options(v);
    v.visit(Option("sample_method", "training only, ignored").one_of({"uniform", "logit-normal"}), sample_method_);
    v.visit(Option("loc", "training only, ignored"), loc_);
    v.visit(Option("scale", "training only, ignored"), scale_);
    v.visit(Option("transform_scale", "ignored, as in MONAI"), transform_scale_);
    v.visit(Option("steps_offset", "added to every timestep").in(-1e6, 1e6), steps_offset_);
}

void RFlowScheduler::set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) {
    steps_ = num_inference_steps;
    const at::ScalarType type = transform_in_float32 ? at::kFloat : at::kDouble;
    timesteps_ = to_float16(flow_timesteps(num_inference_steps, latent_voxels, type));
    if (use_discrete_timesteps()) timesteps_ = timesteps_.to(at::kLong);
    timesteps_ += steps_offset_;
}

double RFlowScheduler::step_length(std::int64_t index) const {
    const std::int64_t steps = timesteps_.numel();
    if (!use_next_timestep) return 1.0 / static_cast<double>(steps_);
    const std::int64_t next = index + 1 < steps ? timesteps_[index + 1].to(at::kLong).item<std::int64_t>() : 0;
    const at::Tensor difference = timesteps_[index] - next;  // in float16 where the timesteps are
    return difference.item<double>() / num_train_timesteps();
}

SchedulerStep RFlowScheduler::take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                                        const NoiseSource& /*noise*/) {
    const auto t = timesteps_[index].item<double>();
    return {sample + model_output * step_length(index), sample + model_output * t / num_train_timesteps()};
}

}  // namespace voldiff

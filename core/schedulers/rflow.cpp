#include "core/schedulers/rflow.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

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
    float* to = single.data_ptr<float>();
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
    v.visit(Option("num_train_timesteps", "timesteps of the training").in(1, 1e6), num_train_timesteps_);
    v.visit(Option("use_discrete_timesteps", "whole timesteps only"), use_discrete_timesteps_);
    v.visit(Option("sample_method", "training only, ignored").one_of({"uniform", "logit-normal"}), sample_method_);
    v.visit(Option("loc", "training only, ignored"), loc_);
    v.visit(Option("scale", "training only, ignored"), scale_);
    v.visit(Option("use_timestep_transform", "more steps at high noise for larger latents"), use_timestep_transform_);
    v.visit(Option("transform_scale", "ignored, as in MONAI"), transform_scale_);
    v.visit(Option("steps_offset", "added to every timestep").in(-1e6, 1e6), steps_offset_);
    v.visit(Option("base_img_size_numel", "latent voxels at which the transform changes nothing").in(1, 1e12),
            base_img_size_numel_);
    v.visit(Option("spatial_dim", "dimensions of the latent").in(2, 3), spatial_dim_);
}

void RFlowScheduler::prepare() {}

void RFlowScheduler::set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) {
    if (num_inference_steps < 1 || num_inference_steps > num_train_timesteps_) {
        throw Error(ErrorCode::config, "'sampling.steps' is " + std::to_string(num_inference_steps) +
                                           ", expected 1 to " + std::to_string(num_train_timesteps_) +
                                           " (num_train_timesteps of the model's scheduler)");
    }
    const auto train = static_cast<double>(num_train_timesteps_);
    at::Tensor t = at::empty({num_inference_steps}, at::kDouble);
    double* values = t.data_ptr<double>();
    for (std::int64_t i = 0; i < num_inference_steps; ++i) {
        values[i] = (1.0 - static_cast<double>(i) / static_cast<double>(num_inference_steps)) * train;
        if (use_discrete_timesteps_) values[i] = std::nearbyint(values[i]);
    }
    if (use_timestep_transform_) {
        const at::ScalarType type = transform_in_float32 ? at::kFloat : at::kDouble;
        const at::Tensor u = (t / train).to(type);
        const at::Tensor voxels = at::full({1}, static_cast<double>(latent_voxels), type);
        const at::Tensor ratio = (voxels / base_img_size_numel_).pow(1.0 / static_cast<double>(spatial_dim_));
        t = ratio * u / ((ratio - 1) * u + 1) * train;
    }
    timesteps_ = to_float16(t);
    if (use_discrete_timesteps_) timesteps_ = timesteps_.to(at::kLong);
    timesteps_ += steps_offset_;
}

double RFlowScheduler::step_length(std::int64_t index) const {
    const std::int64_t steps = timesteps_.numel();
    if (!use_next_timestep) return 1.0 / static_cast<double>(steps);
    const std::int64_t next = index + 1 < steps ? timesteps_[index + 1].to(at::kLong).item<std::int64_t>() : 0;
    const at::Tensor difference = timesteps_[index] - next;  // in float16 where the timesteps are
    return difference.item<double>() / static_cast<double>(num_train_timesteps_);
}

SchedulerStep RFlowScheduler::step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                                   const NoiseSource& /*noise*/) {
    const auto t = timesteps_[index].item<double>();
    return {sample + model_output * step_length(index),
            sample + model_output * t / static_cast<double>(num_train_timesteps_)};
}

at::Tensor RFlowScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                     const at::Tensor& timesteps) const {
    const at::Tensor kept = 1 - timesteps.to(at::kFloat) / static_cast<double>(num_train_timesteps_);
    const at::Tensor share = kept.view({-1, 1, 1, 1, 1});
    return share * original + (1 - share) * noise;
}

}  // namespace voldiff

#include "core/schedulers/flow_scheduler.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <cmath>

namespace voldiff {

void FlowScheduler::visit_options(OptionVisitor& v) {
    v.visit(Option("num_train_timesteps", "timesteps of the training").in(1, 1e6), num_train_timesteps_);
    v.visit(Option("use_discrete_timesteps", "whole timesteps only"), use_discrete_timesteps_);
    v.visit(Option("use_timestep_transform", "more steps at high noise for larger latents"), use_timestep_transform_);
    v.visit(Option("base_img_size_numel", "latent voxels at which the transform changes nothing").in(1, 1e12),
            base_img_size_numel_);
    v.visit(Option("spatial_dim", "dimensions of the latent").in(2, 3), spatial_dim_);
}

at::Tensor FlowScheduler::flow_timesteps(std::int64_t steps, std::int64_t latent_voxels,
                                         at::ScalarType transform_type) const {
    check_steps(steps, num_train_timesteps_);
    at::Tensor t = at::empty({steps}, at::kDouble);
    auto* values = t.data_ptr<double>();
    for (std::int64_t i = 0; i < steps; ++i) {
        values[i] = (1.0 - static_cast<double>(i) / static_cast<double>(steps)) * num_train_timesteps();
        if (use_discrete_timesteps_) values[i] = std::nearbyint(values[i]);
    }
    if (!use_timestep_transform_) return t;
    if (latent_voxels < 1) {
        throw Error(ErrorCode::config, "the timestep transform is for a latent of " + std::to_string(latent_voxels) +
                                           " voxels, expected at least 1 (use_timestep_transform needs its size)");
    }
    const at::Tensor u = (t / num_train_timesteps()).to(transform_type);
    const at::Tensor voxels = at::full({1}, static_cast<double>(latent_voxels), transform_type);
    const at::Tensor ratio = (voxels / base_img_size_numel_).pow(1.0 / static_cast<double>(spatial_dim_));
    return (ratio * u / ((ratio - 1) * u + 1) * num_train_timesteps()).to(at::kDouble);
}

at::Tensor FlowScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                    const at::Tensor& timesteps) const {
    check_sample_axes(original);
    const at::Tensor kept = 1 - timesteps.to(at::kFloat) / num_train_timesteps();
    const at::Tensor share = kept.view({-1, 1, 1, 1, 1});
    return share * original + (1 - share) * noise;
}

void ExactFlowScheduler::set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) {
    timesteps_ = flow_timesteps(num_inference_steps, latent_voxels, at::kDouble);
    const at::Tensor times = timesteps_ / num_train_timesteps();
    times_.assign(times.data_ptr<double>(), times.data_ptr<double>() + times.numel());
    times_.push_back(0);
}

void ExactFlowScheduler::skip_steps(std::int64_t steps) {
    FlowScheduler::skip_steps(steps);
    times_.erase(times_.begin(), times_.begin() + steps);
}

}  // namespace voldiff

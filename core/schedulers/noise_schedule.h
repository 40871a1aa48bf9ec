// The noise schedules that diffusion models are trained with, and what follows from them.
// Source: monai/networks/schedulers/scheduler.py (NoiseSchedules, Scheduler).
#pragma once

#include "core/option.h"

#include <ATen/core/Tensor.h>

#include <string>

namespace voldiff {

// Part of the model: whoever samples it inherits these.
struct NoiseScheduleConfig {
    std::int64_t num_train_timesteps = 1000;
    std::string schedule = "linear_beta";
    double beta_start = 1e-4;
    double beta_end = 2e-2;
    double sig_range = 6;  // sigmoid_beta
    double s = 8e-3;       // cosine

    void visit_options(OptionVisitor& visitor);
};

// Each [num_train_timesteps], float32.
struct NoiseSchedule {
    at::Tensor betas;
    at::Tensor alphas;
    at::Tensor alphas_cumprod;

    // sqrt(alphas_cumprod[t]) original + sqrt(1 - alphas_cumprod[t]) noise; timesteps [N], int64.
    at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise, const at::Tensor& timesteps) const;
    // sqrt(alphas_cumprod[t]) noise - sqrt(1 - alphas_cumprod[t]) sample
    at::Tensor velocity(const at::Tensor& sample, const at::Tensor& noise, const at::Tensor& timesteps) const;
};

// Throws Error(config) for a sample that is not [N, C, D, H, W], which would be broadcast to something else.
void check_sample_axes(const at::Tensor& sample);

NoiseSchedule make_noise_schedule(const NoiseScheduleConfig& config);

}  // namespace voldiff

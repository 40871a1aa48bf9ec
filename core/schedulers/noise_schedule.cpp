#include "core/schedulers/noise_schedule.h"

#include "core/error.h"

#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/cumprod.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/sigmoid.h>

#include <cmath>
#include <sstream>

namespace voldiff {

namespace {

constexpr double pi = 3.14159265358979323846;

at::Tensor linear_beta(const NoiseScheduleConfig& c) {
    return at::linspace(c.beta_start, c.beta_end, c.num_train_timesteps, at::kFloat);
}

at::Tensor scaled_linear_beta(const NoiseScheduleConfig& c) {
    return at::linspace(std::sqrt(c.beta_start), std::sqrt(c.beta_end), c.num_train_timesteps, at::kFloat).pow(2);
}

at::Tensor sigmoid_beta(const NoiseScheduleConfig& c) {
    const at::Tensor x = at::linspace(-c.sig_range, c.sig_range, c.num_train_timesteps, at::kFloat);
    return at::sigmoid(x) * (c.beta_end - c.beta_start) + c.beta_start;
}

// Nichol and Dhariwal 2021, arXiv:2102.09672
at::Tensor cosine(const NoiseScheduleConfig& c) {
    const auto n = static_cast<double>(c.num_train_timesteps);
    const at::Tensor x = at::linspace(0, n, c.num_train_timesteps + 1, at::kFloat);
    at::Tensor product = at::cos((x / n + c.s) / (1 + c.s) * pi * 0.5).pow(2);
    product = product / product[0].item<double>();
    return at::clamp(1 - product.slice(0, 1) / product.slice(0, 0, -1), 0.0, 0.999);
}

struct ScheduleEntry {
    const char* name;
    at::Tensor (*betas)(const NoiseScheduleConfig&);
};

constexpr ScheduleEntry schedules[] = {
    {"linear_beta", linear_beta},
    {"scaled_linear_beta", scaled_linear_beta},
    {"sigmoid_beta", sigmoid_beta},
    {"cosine", cosine},
};

at::Tensor coefficients(const at::Tensor& table, const at::Tensor& timesteps, const at::Tensor& like) {
    check_sample_axes(like);
    return table.to(like.options()).index({timesteps.to(like.device())}).sqrt().view({-1, 1, 1, 1, 1});
}

}  // namespace

void check_sample_axes(const at::Tensor& sample) {
    if (sample.dim() == 5) return;
    std::ostringstream message;
    message << "scheduler: the sample is " << sample.sizes() << ", expected [N, C, D, H, W]";
    throw Error(ErrorCode::config, message.str());
}

void NoiseScheduleConfig::visit_options(OptionVisitor& v) {
    std::vector<std::string> names;
    for (const ScheduleEntry& entry : schedules) names.emplace_back(entry.name);
    v.visit(Option("num_train_timesteps", "timesteps of the training").in(1, 1e6), num_train_timesteps);
    v.visit(Option("schedule", "noise schedule").one_of(names), schedule);
    v.visit(Option("beta_start", "first beta").in(0, 1), beta_start);
    v.visit(Option("beta_end", "last beta").in(0, 1), beta_end);
    v.visit(Option("sig_range", "range of sigmoid_beta").in(0, 1000), sig_range);
    v.visit(Option("s", "offset of cosine").in(0, 1), s);
}

NoiseSchedule make_noise_schedule(const NoiseScheduleConfig& config) {
    for (const ScheduleEntry& entry : schedules) {
        if (config.schedule != entry.name) continue;
        NoiseSchedule schedule;
        schedule.betas = entry.betas(config);
        schedule.alphas = 1 - schedule.betas;
        schedule.alphas_cumprod = at::cumprod(schedule.alphas, 0);
        return schedule;
    }
    throw Error(ErrorCode::config, "unknown noise schedule '" + config.schedule + "'");
}

at::Tensor NoiseSchedule::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                    const at::Tensor& timesteps) const {
    return coefficients(alphas_cumprod, timesteps, original) * original +
           coefficients(1 - alphas_cumprod, timesteps, original) * noise;
}

at::Tensor NoiseSchedule::velocity(const at::Tensor& sample, const at::Tensor& noise,
                                   const at::Tensor& timesteps) const {
    return coefficients(alphas_cumprod, timesteps, sample) * noise -
           coefficients(1 - alphas_cumprod, timesteps, sample) * sample;
}

}  // namespace voldiff

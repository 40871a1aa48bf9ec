#include "core/schedulers/log_snr_scheduler.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace voldiff {

namespace {

SnrPoint make_point(double t, double log_alpha) {
    const double log_sigma = 0.5 * std::log(-std::expm1(2 * log_alpha));
    return {t, std::exp(log_alpha), std::exp(log_sigma), log_alpha - log_sigma};
}

SnrPoint clean_point() { return {-1, 1, 0, std::numeric_limits<double>::infinity()}; }

}  // namespace

void LogSnrScheduler::visit_options(OptionVisitor& v) {
    VPScheduler::visit_options(v);
    prediction_.visit_options(v);
    v.visit(Option("timestep_spacing", "equal distances in time, or in log SNR: better from about 15 steps on")
                .one_of({"trailing", "logsnr"}),
            timestep_spacing_);
}

void LogSnrScheduler::prepare() {
    VPScheduler::prepare();
    const at::Tensor table = schedule().alphas_cumprod.to(at::kDouble).log() / 2;
    log_alphas_.assign(table.data_ptr<double>(), table.data_ptr<double>() + table.numel());
    const bool falls =
        std::adjacent_find(log_alphas_.begin(), log_alphas_.end(), std::less_equal<>()) == log_alphas_.end();
    if (falls && log_alphas_.front() < 0 && std::isfinite(log_alphas_.back())) return;
    throw Error(ErrorCode::config,
                "the noise schedule has a beta of 0, or no data left at its end, expected the signal-to-noise ratio to "
                "be finite and to fall at every timestep; use ddim for this model");
}

SnrPoint LogSnrScheduler::at_timestep(double t) const {
    const auto below = static_cast<std::size_t>(t);
    const std::size_t above = std::min(below + 1, log_alphas_.size() - 1);
    const double share = t - static_cast<double>(below);
    return make_point(t, (1 - share) * log_alphas_[below] + share * log_alphas_[above]);
}

// alpha^2 is the sigmoid of 2 lambda.
SnrPoint LogSnrScheduler::at_lambda(double lambda) const {
    const double log_alpha = -0.5 * std::log1p(std::exp(-2 * lambda));
    const auto above = std::lower_bound(log_alphas_.begin(), log_alphas_.end(), log_alpha, std::greater<>());
    if (above == log_alphas_.begin()) return at_timestep(0);
    if (above == log_alphas_.end()) return at_timestep(static_cast<double>(log_alphas_.size() - 1));
    const double share = (*(above - 1) - log_alpha) / (*(above - 1) - *above);
    return make_point(static_cast<double>(above - log_alphas_.begin() - 1) + share, log_alpha);
}

void LogSnrScheduler::set_timesteps(std::int64_t num_inference_steps, std::int64_t /*latent_voxels*/) {
    const std::int64_t train = num_train_timesteps();
    const std::int64_t n = num_inference_steps;
    check_steps(n, train);
    const double first = at_timestep(static_cast<double>(train - 1)).lambda;
    const double interval = n > 1 ? (at_timestep(0).lambda - first) / static_cast<double>(n - 1) : 0;
    points_.clear();
    std::vector<double> list;
    for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t whole = (2 * train * (n - i) + n) / (2 * n) - 1;  // rounded
        points_.push_back(timestep_spacing_ == "logsnr" ? at_lambda(first + interval * static_cast<double>(i))
                                                        : at_timestep(static_cast<double>(whole)));
        list.push_back(points_.back().t);
    }
    points_.push_back(clean_point());
    timesteps_ = at::tensor(list, at::kDouble);
}

void LogSnrScheduler::skip_steps(std::int64_t steps) {
    VPScheduler::skip_steps(steps);
    points_.erase(points_.begin(), points_.begin() + steps);
}

at::Tensor LogSnrScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                      const at::Tensor& timesteps) const {
    check_sample_axes(original);
    at::Tensor noisy = at::empty_like(original);
    for (std::int64_t n = 0; n < timesteps.numel(); ++n) {
        const SnrPoint at = at_timestep(timesteps[n].item<double>());
        noisy[n].copy_(at.alpha * original[n] + at.sigma * noise[n]);
    }
    return noisy;
}

at::Tensor LogSnrScheduler::original(const at::Tensor& model_output, std::int64_t index,
                                     const at::Tensor& sample) const {
    return prediction_
        .predict(model_output, sample, at::scalar_tensor(point(index).alpha, at::kDouble),
                 at::scalar_tensor(point(index).sigma, at::kDouble))
        .original;
}

at::Tensor LogSnrScheduler::advance(const at::Tensor& sample, const at::Tensor& original, std::int64_t index) const {
    const SnrPoint& next = point(index + 1);
    return next.sigma / point(index).sigma * sample - next.alpha * std::expm1(-step_length(index)) * original;
}

}  // namespace voldiff

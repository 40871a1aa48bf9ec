// How fast the samplers converge: the measured order on data whose flow is known in closed form.
//
// The data are N(0, s^2). Then the best network is linear in the sample, and the flow keeps x / sqrt(Var x_t).
// With an error of C n^-p (1 + c / n + ...) halving the steps shows the order p + c / (2 n log 2) + O(1 / n^2), so the
// difference to p halves with every doubling, and 2 order(2 n) - order(n) = p + O((c / n)^2). The test first measures
// that c / n is below 0.14 (order within 0.1 of p; another order would be 1 away), so that the extrapolated order has
// to be within 0.14^2 = 0.02 of p.
#include "tests/support/schedulers.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/scalar_tensor.h>

#include <cmath>

namespace voldiff {
namespace {

constexpr double data_deviation = 0.5;
constexpr double data_variance = data_deviation * data_deviation;

struct OrderCase {
    const char* scheduler;
    double order;
    std::int64_t steps;  // the fewest of three runs, doubled twice
    std::int64_t latent_voxels = 32768;
};

void PrintTo(const OrderCase& one, std::ostream* out) { *out << one.scheduler << " at " << one.latent_voxels; }

// The signal's share at a timestep of the noise schedule, log alpha linear between whole timesteps.
double alpha_at(const NoiseSchedule& schedule, double t) {
    const auto below = static_cast<std::int64_t>(t);
    const auto log_alpha = [&](std::int64_t i) {
        return std::log(schedule.alphas_cumprod[std::min(i, schedule.alphas_cumprod.numel() - 1)].item<double>()) / 2;
    };
    const double share = t - static_cast<double>(below);
    return std::exp((1 - share) * log_alpha(below) + share * log_alpha(below + 1));
}

// E[x_0 | x_t] is this times x_t.
double original_share(double alpha) {
    return alpha * data_variance / (alpha * alpha * data_variance + 1 - alpha * alpha);
}

double standard_deviation(double alpha) { return std::sqrt(alpha * alpha * data_variance + 1 - alpha * alpha); }

// Relative error of the end, which is x_0 as predicted at the last timestep.
double noise_schedule_error(Scheduler& scheduler, const NoiseSchedule& schedule) {
    const StandInNetwork epsilon = [&](const at::Tensor& x, const at::Tensor& t) {
        const double alpha = alpha_at(schedule, t.item<double>());
        return (1 - alpha * original_share(alpha)) / std::sqrt(1 - alpha * alpha) * x;
    };
    const double first = alpha_at(schedule, scheduler.timesteps()[0].item<double>());
    const double last = alpha_at(schedule, scheduler.timesteps()[-1].item<double>());
    const double exact = standard_deviation(last) / standard_deviation(first) * original_share(last);
    const double found = run_scheduler(scheduler, epsilon, at::scalar_tensor(1.0, at::kDouble)).item<double>();
    return std::abs(found / exact - 1);
}

double flow_error(Scheduler& scheduler) {
    const StandInNetwork velocity = [](const at::Tensor& x, const at::Tensor& timestep) {
        const double t = timestep.item<double>() / 1000;
        return ((1 - t) * data_variance - t) / ((1 - t) * (1 - t) * data_variance + t * t) * x;
    };
    const double found = run_scheduler(scheduler, velocity, at::scalar_tensor(1.0, at::kDouble)).item<double>();
    return std::abs(found / data_deviation - 1);
}

double error_of(const OrderCase& one, std::int64_t steps) {
    const auto scheduler = scheduler_of(one.scheduler);
    scheduler->set_timesteps(steps, one.latent_voxels);
    const NoiseSchedule* schedule = scheduler->noise_schedule();
    return schedule == nullptr ? flow_error(*scheduler) : noise_schedule_error(*scheduler, *schedule);
}

}  // namespace

class SchedulerOrder : public ::testing::TestWithParam<OrderCase> {};

TEST_P(SchedulerOrder, IsWhatThePaperSays) {
    const OrderCase& one = GetParam();
    const double coarse = error_of(one, one.steps);
    const double middle = error_of(one, 2 * one.steps);
    const double fine = error_of(one, 4 * one.steps);
    const double order = std::log2(coarse / middle);
    EXPECT_NEAR(order, one.order, 0.1);
    EXPECT_NEAR(2 * std::log2(middle / fine) - order, one.order, 0.02);
}

// 125, 250 and 500 divide 1000: whole timesteps at equal distances. A quarter is the ratio of the timestep transform
// for 512 voxels, where the last interval is a sixteenth of the first.
INSTANTIATE_TEST_SUITE_P(
    All, SchedulerOrder,
    ::testing::Values(
        OrderCase{"{type: rflow}", 1, 125}, OrderCase{"{type: rflow_heun}", 2, 125},
        OrderCase{"{type: rflow_ab2}", 2, 125},
        OrderCase{"{type: rflow_heun, use_timestep_transform: true, use_discrete_timesteps: false}", 2, 100, 512},
        OrderCase{"{type: rflow_ab2, use_timestep_transform: true, use_discrete_timesteps: false}", 2, 100, 512},
        OrderCase{"{type: ddim, clip_sample: false}", 1, 125},
        OrderCase{"{type: dpmpp_2m, timestep_spacing: logsnr}", 2, 100},
        OrderCase{"{type: unipc, timestep_spacing: logsnr}", 3, 100}));

}  // namespace voldiff

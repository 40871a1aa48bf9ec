// The samplers of rectified flow, one by one.
#include "tests/config_helpers.h"
#include "tests/support/schedulers.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>

namespace voldiff {
namespace {

std::unique_ptr<Scheduler> flow(const std::string& type, std::int64_t steps) {
    auto scheduler = scheduler_of("{type: " + type + ", use_discrete_timesteps: false, use_timestep_transform: true}");
    scheduler->set_timesteps(steps, 8 * 32768);  // transform of ratio 2: t -> 2 t / (t + 1)
    return scheduler;
}

}  // namespace

TEST(RFlowScheduler, AVelocityToTheDataArrivesThere) {
    // Without the timestep transform dt sums to one, so constant velocity data - noise goes from noise to data.
    const auto scheduler = scheduler_of("type: rflow");
    scheduler->set_timesteps(10, 1);
    const at::Tensor noise = at::full({1, 1, 1, 1, 1}, -3.0);
    const at::Tensor data = at::full({1, 1, 1, 1, 1}, 5.0);
    const StandInNetwork straight = [&](const at::Tensor&, const at::Tensor&) { return data - noise; };
    EXPECT_NEAR(run_scheduler(*scheduler, straight, noise).item<double>(), 5.0, 1e-5);
}

TEST(RFlowScheduler, RoundsTimestepsToHalfPrecision) {
    // 3 steps: 1000, 666.67, 333.33; float16 counts in halves above 512 and in quarters above 256.
    const auto scheduler = scheduler_of("{type: rflow, use_discrete_timesteps: false}");
    scheduler->set_timesteps(3, 1);
    EXPECT_TRUE(at::equal(scheduler->timesteps(), at::tensor({1000.0F, 666.5F, 333.25F}).to(at::kHalf)));
}

// Where MONAI's steps add up to 1.0096 (30 steps, a latent of 64^3).
TEST(ExactFlowSchedulers, StepsAddUpToOne) {
    const StandInNetwork one = [](const at::Tensor& x, const at::Tensor&) {
        return at::full(x.sizes(), 1.0, at::kDouble);
    };
    for (const char* type : {"rflow_heun", "rflow_ab2"}) {
        const auto scheduler = flow(type, 30);
        EXPECT_NEAR(run_scheduler(*scheduler, one, at::scalar_tensor(0.0, at::kDouble)).item<double>(), 1, 1e-14)
            << type;
    }
}

TEST(FlowSchedulers, TheTransformNeedsTheSizeOfTheLatent) {
    for (const std::string type : {"rflow", "rflow_heun", "rflow_ab2"}) {
        const auto scheduler = scheduler_of("{use_timestep_transform: true, type: " + type + "}");
        expect_contains(message_of(ErrorCode::config, [&] { scheduler->set_timesteps(5, 0); }),
                        "a latent of 0 voxels, expected at least 1");
    }
}

// A velocity that is linear in time is what a second-order method integrates exactly: the integral of t over [0, 1] is
// 1/2, but for the one step of Euler, which is off by dt^2 / 2.
TEST(ExactFlowSchedulers, IntegrateALinearVelocityExactlyButForOneStep) {
    const StandInNetwork time = [](const at::Tensor&, const at::Tensor& t) { return t / 1000; };
    const at::Tensor zero = at::scalar_tensor(0.0, at::kDouble);
    const double first = 1 - 2 * 0.75 / 1.75;  // dt of the first of 4 steps
    const double last = 2 * 0.25 / 1.25;       // of the last
    EXPECT_NEAR(run_scheduler(*flow("rflow_ab2", 4), time, zero).item<double>(), 0.5 + first * first / 2, 1e-14);
    EXPECT_NEAR(run_scheduler(*flow("rflow_heun", 4), time, zero).item<double>(), 0.5 + last * last / 2, 1e-14);
}

TEST(RFlowHeunScheduler, TakesTwoCallsAStepButOneForTheLast) {
    const at::Tensor expected =
        at::tensor({1000.0, 6000.0 / 7, 6000.0 / 7, 2000.0 / 3, 2000.0 / 3, 400.0, 400.0}, at::kDouble);
    EXPECT_LT((flow("rflow_heun", 4)->timesteps() - expected).abs().max().item<double>(), 1e-10);
    EXPECT_EQ(flow("rflow_heun", 1)->timesteps().numel(), 1);
    EXPECT_EQ(flow("rflow_heun", 1000)->timesteps().numel(), 1999);
}

TEST(RFlowAB2Scheduler, TakesOneCallAStep) {
    EXPECT_EQ(flow("rflow_ab2", 1)->timesteps().numel(), 1);
    EXPECT_EQ(flow("rflow_ab2", 1000)->timesteps().numel(), 1000);
}

}  // namespace voldiff

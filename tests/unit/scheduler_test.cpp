// What every scheduler of the table must do. The numbers of those that MONAI has are the reference check's.
#include "core/schedulers/scheduler.h"
#include "core/error.h"
#include "tests/config_helpers.h"
#include "tests/support/schedulers.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sin.h>

#include <set>

namespace voldiff {
namespace {

// The step counts from 1 to 1000 that the scheduler takes, of a few.
std::vector<std::int64_t> step_counts(Scheduler& scheduler) {
    std::vector<std::int64_t> taken;
    for (const std::int64_t steps : {1, 2, 3, 4, 7, 30, 333, 991, 999, 1000}) {
        try {
            scheduler.set_timesteps(steps, 4096);
            taken.push_back(steps);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::config);
        }
    }
    return taken;
}

}  // namespace

TEST(Schedulers, HaveDistinctNames) {
    std::set<std::string> names;
    for (const SchedulerEntry& entry : scheduler_table()) {
        EXPECT_TRUE(names.insert(entry.name).second);
        EXPECT_TRUE(names.insert(entry.target).second);
        EXPECT_FALSE(entry.help.empty());
    }
}

TEST(Schedulers, AreFoundByNameAndByTarget) {
    for (const SchedulerEntry& entry : scheduler_table()) {
        EXPECT_EQ(find_scheduler(entry.name).name, entry.name);
        EXPECT_EQ(find_scheduler("monai.networks.schedulers.some_module." + entry.target).name, entry.name);
    }
}

TEST(Schedulers, AnUnknownNameListsTheKnown) {
    const std::string message = message_of(ErrorCode::config, [] { find_scheduler("euler"); });
    for (const SchedulerEntry& entry : scheduler_table()) expect_contains(message, entry.name);
}

TEST(Schedulers, GoFromNoiseToData) {
    for (const SchedulerEntry& entry : scheduler_table()) {
        const auto scheduler = scheduler_of("type: " + entry.name);
        scheduler->set_timesteps(7, 4096);
        const at::Tensor t = scheduler->timesteps().to(at::kDouble);
        ASSERT_GE(t.numel(), 7) << entry.name;
        EXPECT_TRUE((t.slice(0, 1) <= t.slice(0, 0, -1)).all().item<bool>()) << entry.name;  // a corrector repeats one
        EXPECT_LT(t[-1].item<double>(), t[0].item<double>()) << entry.name;
        EXPECT_GE(t[-1].item<double>(), 0) << entry.name;
        EXPECT_LE(t[0].item<double>(), 1000) << entry.name;
    }
}

TEST(Schedulers, RefuseMoreStepsThanTheyWereTrainedWith) {
    for (const SchedulerEntry& entry : scheduler_table()) {
        const auto scheduler = scheduler_of("type: " + entry.name);
        for (const std::int64_t steps : {-1, 0, 1001}) {
            expect_contains(message_of(ErrorCode::config, [&] { scheduler->set_timesteps(steps, 4096); }),
                            "'sampling.steps' is " + std::to_string(steps) + ", expected");
        }
    }
}

TEST(Schedulers, TakeOnlyTheStepsThatThereAre) {
    const at::Tensor x = at::ones({1, 1, 2, 2, 2});
    for (const SchedulerEntry& entry : scheduler_table()) {
        const auto scheduler = scheduler_of("type: " + entry.name);
        expect_contains(message_of(ErrorCode::internal, [&] { scheduler->step(x, 0, x, {}); }),
                        "step 0 of 0 timesteps is asked for; call set_timesteps first");
        scheduler->set_timesteps(5, 8);
        const std::int64_t count = scheduler->timesteps().numel();
        for (const std::int64_t index : {std::int64_t{-1}, count}) {
            expect_contains(message_of(ErrorCode::internal, [&] { scheduler->step(x, index, x, {}); }),
                            "step " + std::to_string(index) + " of " + std::to_string(count));
        }
    }
}

TEST(Schedulers, AddNoiseToVolumesOnly) {
    const at::Tensor time = at::ones({2}, at::kLong);
    for (const SchedulerEntry& entry : scheduler_table()) {
        const auto scheduler = scheduler_of("type: " + entry.name);
        const auto noisy = [&](at::IntArrayRef shape) {
            return scheduler->add_noise(at::ones(shape), at::ones(shape), time);
        };
        expect_contains(message_of(ErrorCode::config,
                                   [&] {
                                       noisy({2, 3, 4});
                                   }),
                        "[2, 3, 4], expected [N, C, D, H, W]");
        EXPECT_EQ(noisy({2, 3, 4, 4, 4}).sizes(), (at::IntArrayRef{2, 3, 4, 4, 4})) << entry.name;
    }
}

TEST(Schedulers, EveryStepKeepsShapeAndTypeAndIsFinite) {
    const NoiseSource noise = [](const at::Tensor& like) { return at::ones(like.sizes(), like.options()); };
    for (const SchedulerEntry& entry : scheduler_table()) {
        const auto scheduler = scheduler_of("type: " + entry.name);
        const auto counts = step_counts(*scheduler);
        EXPECT_GE(counts.size(), 5U) << entry.name;
        for (const std::int64_t steps : counts) {
            scheduler->set_timesteps(steps, 4096);
            at::Tensor x = at::ones({1, 2, 1, 1, 2});
            for (std::int64_t i = 0; i < scheduler->timesteps().numel(); ++i) {
                const SchedulerStep step = scheduler->step(at::sin(x), i, x, noise);
                x = step.previous_sample;
                ASSERT_EQ(x.sizes(), (at::IntArrayRef{1, 2, 1, 1, 2})) << entry.name;
                ASSERT_EQ(step.pred_original.sizes(), x.sizes()) << entry.name;
                ASSERT_EQ(x.scalar_type(), at::kFloat) << entry.name;
                ASSERT_TRUE(at::isfinite(x).all().item<bool>()) << entry.name << ", " << steps << " steps, index " << i;
            }
        }
    }
}

// The second run must not know of the first, which was stopped.
TEST(Schedulers, RememberNothingOfTheRunBefore) {
    const NoiseSource noise = [](const at::Tensor& like) { return at::ones(like.sizes(), like.options()); };
    for (const SchedulerEntry& entry : scheduler_table()) {
        std::vector<double> ends;
        const auto scheduler = scheduler_of("type: " + entry.name);
        for (const std::int64_t stop : {100, 5, 100}) {
            scheduler->set_timesteps(20, 4096);
            at::Tensor x = at::ones({1, 1, 1, 1, 1}) * (stop == 5 ? 3 : 1);
            for (std::int64_t i = 0; i < std::min(stop, scheduler->timesteps().numel()); ++i) {
                x = scheduler->step(at::sin(x), i, x, noise).previous_sample;
            }
            ends.push_back(x.item<double>());
        }
        EXPECT_EQ(ends[0], ends[2]) << entry.name;
        EXPECT_NE(ends[0], ends[1]) << entry.name;
    }
}

}  // namespace voldiff

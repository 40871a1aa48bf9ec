// The start from an image, with every scheduler.
#include "core/pipeline/image_to_image.h"

#include "tests/config_helpers.h"
#include "tests/support/schedulers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sin.h>

#include <set>

namespace voldiff {

namespace {

constexpr std::int64_t voxels = 4096;
const NoiseSource one = [](const at::Tensor& like) { return at::ones(like.sizes(), like.options()); };

// All that is left of a run with a network that is nobody's.
at::Tensor finish(Scheduler& scheduler, at::Tensor x) {
    for (std::int64_t i = 0; i < scheduler.timesteps().numel(); ++i)
        x = scheduler.step(at::sin(x), i, x, one).previous_sample;
    return x;
}

bool is_flow(const Scheduler& scheduler) { return scheduler.noise_schedule() == nullptr; }

}  // namespace

TEST(SkippedSteps, LeaveTheWholePartOfStrengthTimesSteps) {
    EXPECT_EQ(skipped_steps(30, 1), 0);
    EXPECT_EQ(skipped_steps(30, 0), 30);
    EXPECT_EQ(skipped_steps(30, 0.5), 15);
    EXPECT_EQ(skipped_steps(30, 0.59), 13);   // 17.7
    EXPECT_EQ(skipped_steps(100, 0.29), 71);  // 28.999999999999996 in floating point
    expect_contains(message_of(ErrorCode::config, [] { skipped_steps(10, 0.05); }),
                    "0.05 of 10 steps is less than one step, expected 0 or at least 0.1");
}

TEST(SkipSteps, NoneChangesNothing) {
    for (const SchedulerEntry& entry : scheduler_table()) {
        const auto whole = scheduler_of("type: " + entry.name);
        const auto skipped = scheduler_of("type: " + entry.name);
        whole->set_timesteps(20, voxels);
        skipped->set_timesteps(20, voxels);
        skipped->skip_steps(0);
        const at::Tensor x = at::randn({1, 1, 2, 2, 2});
        EXPECT_TRUE(at::equal(finish(*whole, x), finish(*skipped, x))) << entry.name;
    }
}

TEST(SkipSteps, LeavesTheEndOfTheTimesteps) {
    for (const SchedulerEntry& entry : scheduler_table()) {
        const auto scheduler = scheduler_of("type: " + entry.name);
        scheduler->set_timesteps(20, voxels);
        const at::Tensor all = scheduler->timesteps().to(at::kDouble);
        for (const std::int64_t left : {1, 2, 3, 4, 15}) {
            scheduler->set_timesteps(20, voxels);
            scheduler->skip_steps(20 - left);
            const at::Tensor t = scheduler->timesteps().to(at::kDouble);
            ASSERT_GE(t.numel(), left) << entry.name;
            EXPECT_EQ(t[-1].item<double>(), all[-1].item<double>()) << entry.name << ", " << left;
            EXPECT_LT(t[0].item<double>(), all[0].item<double>()) << entry.name << ", " << left;
            EXPECT_TRUE(at::isfinite(finish(*scheduler, at::ones({1, 1, 1, 1, 2}))).all().item<bool>()) << entry.name;
        }
        scheduler->set_timesteps(20, voxels);
        scheduler->skip_steps(20);
        EXPECT_EQ(scheduler->timesteps().numel(), 0) << entry.name;
    }
}

// With a network that knows data and noise, a run from the middle ends at the data: the steps that are left are exactly
// as long as the noise is. Not ddpm and pndm, whose steps in MONAI are shorter than their timesteps are apart.
TEST(SkipSteps, StepsAreAsLongAsTheNoiseThatIsLeft) {
    const at::Tensor data = at::randn({1, 1, 2, 2, 2}).to(at::kDouble);
    const at::Tensor noise = at::randn({1, 1, 2, 2, 2}).to(at::kDouble);
    std::set<std::string> seen;
    for (const SchedulerEntry& entry : scheduler_table()) {
        if (entry.name == "ddpm" || entry.name == "pndm") continue;
        seen.insert(entry.name);
        const bool clips = entry.name == "ddim";
        const auto scheduler = scheduler_of("{type: " + entry.name + (clips ? ", clip_sample: false}" : "}"));
        for (const double strength : {0.05, 0.1, 0.5, 0.95}) {
            scheduler->set_timesteps(20, voxels);
            scheduler->skip_steps(skipped_steps(20, strength));
            const at::Tensor start = noisy_start({data, strength}, *scheduler, noise);
            EXPECT_GT((start - data).abs().max().item<double>(), 1e-3) << entry.name << ", " << strength;
            const StandInNetwork network = [&](const at::Tensor&, const at::Tensor&) {
                return is_flow(*scheduler) ? data - noise : noise;
            };
            const at::Tensor end = run_scheduler(*scheduler, network, start);
            EXPECT_LT((end - data).abs().max().item<double>(), 1e-5) << entry.name << ", " << strength;
        }
    }
    EXPECT_EQ(seen.size() + 2, scheduler_table().size());
}

TEST(SkipSteps, RememberNothingOfARunBefore) {
    for (const SchedulerEntry& entry : scheduler_table()) {
        const auto used = scheduler_of("type: " + entry.name);
        const auto fresh = scheduler_of("type: " + entry.name);
        used->set_timesteps(20, voxels);
        finish(*used, at::ones({1, 1, 1, 1, 2}) * 3);
        for (Scheduler* each : {used.get(), fresh.get()}) {
            each->set_timesteps(20, voxels);
            each->skip_steps(11);
        }
        const at::Tensor x = at::ones({1, 1, 1, 1, 2});
        EXPECT_TRUE(at::equal(finish(*used, x), finish(*fresh, x))) << entry.name;
    }
}

TEST(NoisyStart, EndsAreTheLatentAndTheNoise) {
    const at::Tensor latent = at::randn({1, 1, 2, 2, 2});
    const at::Tensor noise = at::randn({1, 1, 2, 2, 2});
    for (const SchedulerEntry& entry : scheduler_table()) {
        const auto scheduler = scheduler_of("type: " + entry.name);
        scheduler->set_timesteps(20, voxels);
        EXPECT_TRUE(at::equal(noisy_start({latent, 1}, *scheduler, noise), noise)) << entry.name;
        scheduler->skip_steps(20);
        EXPECT_TRUE(at::equal(noisy_start({latent, 0}, *scheduler, noise), latent)) << entry.name;
    }
}

TEST(PndmSkipSteps, FewStepsTakeFewerRungeKuttaSteps) {
    const auto scheduler = scheduler_of("type: pndm");
    for (const auto& [left, calls] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {2, 5}, {3, 9}, {4, 13}, {10, 19}}) {
        scheduler->set_timesteps(20, voxels);
        scheduler->skip_steps(20 - left);
        EXPECT_EQ(scheduler->timesteps().numel(), calls) << left;
    }
}

}  // namespace voldiff

// The samplers of DDPM-trained models, one by one.
#include "tests/config_helpers.h"
#include "tests/support/schedulers.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

namespace voldiff {
namespace {

at::Tensor timesteps_of(const std::string& yaml, std::int64_t steps) {
    const auto scheduler = scheduler_of(yaml);
    scheduler->set_timesteps(steps, 1);
    return scheduler->timesteps();
}

double distance(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

std::string refusal(const std::string& yaml, std::int64_t steps) {
    return message_of(ErrorCode::config, [&] { timesteps_of(yaml, steps); });
}

}  // namespace

// A network that knows data and noise: however it says so, the data are predicted, and a deterministic step goes from
// the noisy sample of one timestep to that of the next.
TEST(VPSchedulers, PredictionTypesAreWaysToSayTheSame) {
    const at::Tensor data = at::randn({1, 1, 2, 2, 2}).to(at::kDouble);
    const at::Tensor noise = at::randn({1, 1, 2, 2, 2}).to(at::kDouble);
    const NoiseSource same = [&](const at::Tensor&) { return noise; };
    for (const std::string type : {"ddpm", "ddim", "dpmpp_2m", "unipc"}) {
        for (const std::string prediction : {"epsilon", "sample", "v_prediction"}) {
            const auto scheduler =
                scheduler_of("{clip_sample: false, type: " + type + ", prediction_type: " + prediction + "}");
            scheduler->set_timesteps(20, 1);
            const at::Tensor t = scheduler->timesteps().to(at::kLong);
            for (std::int64_t i = 0; i < 20; ++i) {
                const at::Tensor now = t.slice(0, i, i + 1);
                at::Tensor output = prediction == "sample" ? data : noise;
                if (prediction == "v_prediction") output = scheduler->noise_schedule()->velocity(data, noise, now);
                const SchedulerStep step = scheduler->step(output, i, scheduler->add_noise(data, noise, now), same);
                EXPECT_LT(distance(step.pred_original, data), 1e-5) << type << ", " << prediction << ", " << i;
                if (type == "ddpm") continue;
                const at::Tensor next = i == 19 ? data : scheduler->add_noise(data, noise, t.slice(0, i + 1, i + 2));
                EXPECT_LT(distance(step.previous_sample, next), 1e-5) << type << ", " << prediction << ", " << i;
            }
        }
    }
}

TEST(DDIMScheduler, RefusesAnOffsetPastTheTraining) {
    EXPECT_EQ(timesteps_of("{type: ddim, steps_offset: 3}", 250)[0].item<std::int64_t>(), 999);
    expect_contains(refusal("{type: ddim, steps_offset: 4}", 250), "'steps_offset' is 4, expected less than 4");
}

TEST(PNDMScheduler, CountsItsCalls) {
    EXPECT_EQ(timesteps_of("{type: pndm}", 10).numel(), 19);
    EXPECT_EQ(timesteps_of("{type: pndm}", 4).numel(), 13);
    EXPECT_EQ(timesteps_of("{type: pndm}", 991).numel(), 1000);
    EXPECT_EQ(timesteps_of("{type: pndm, skip_prk_steps: true}", 10).numel(), 10);
    EXPECT_EQ(timesteps_of("{type: pndm, skip_prk_steps: true}", 1).numel(), 1);
    EXPECT_EQ(timesteps_of("{type: pndm, skip_prk_steps: true}", 1000).numel(), 1000);
}

TEST(PNDMScheduler, RefusesStepsThatItCannotStartWith) {
    for (const std::int64_t steps : {3, 992}) {
        expect_contains(refusal("{type: pndm}", steps),
                        "'sampling.steps' is " + std::to_string(steps) + ", expected 4 to 991");
    }
    expect_contains(refusal("{type: pndm, skip_prk_steps: true, steps_offset: 1}", 1000), "'steps_offset' is 1");
    expect_contains(refusal("{type: pndm, prediction_type: sample}", 10), "expected one of epsilon, v_prediction");
}

TEST(LogSnrSchedulers, BeginAtTheLastTimestepOfTheTraining) {
    for (const std::string type : {"dpmpp_2m", "unipc"}) {
        EXPECT_TRUE(at::equal(timesteps_of("type: " + type, 4), at::tensor({999.0, 749.0, 499.0, 249.0}, at::kDouble)));
        EXPECT_TRUE(at::equal(timesteps_of("type: " + type, 1), at::tensor({999.0}, at::kDouble)));
        const at::Tensor all = timesteps_of("type: " + type, 1000);
        EXPECT_EQ(all[-1].item<double>(), 0);
        EXPECT_TRUE((all.slice(0, 1) - all.slice(0, 0, -1) == -1).all().item<bool>());
        const at::Tensor even = timesteps_of("{type: " + type + ", timestep_spacing: logsnr}", 5);
        EXPECT_NEAR(even[0].item<double>(), 999, 1e-9);
        EXPECT_NEAR(even[-1].item<double>(), 0, 1e-9);
    }
}

// The middle of five is half-way in log SNR.
TEST(LogSnrSchedulers, SpaceEvenlyInLogSnr) {
    const auto scheduler = scheduler_of("{type: dpmpp_2m, timestep_spacing: logsnr}");
    scheduler->set_timesteps(3, 1);
    const at::Tensor product = scheduler->noise_schedule()->alphas_cumprod.to(at::kDouble);
    const at::Tensor log_snr = (product / (1 - product)).log();
    const double middle = (log_snr[0].item<double>() + log_snr[999].item<double>()) / 2;
    const auto below = static_cast<std::int64_t>(scheduler->timesteps()[1].item<double>());
    EXPECT_GT(log_snr[below].item<double>(), middle);
    EXPECT_LT(log_snr[below + 1].item<double>(), middle);
}

TEST(LogSnrSchedulers, TheEndIsTheLastPredictionOfTheData) {
    for (const std::string type : {"dpmpp_2m", "unipc"}) {
        const auto scheduler = scheduler_of("{prediction_type: sample, type: " + type + "}");
        scheduler->set_timesteps(6, 1);
        const at::Tensor data = at::randn({1, 1, 2, 2, 2});
        const StandInNetwork network = [&](const at::Tensor& x, const at::Tensor& t) {
            return t.item<double>() < 200 ? data : x;
        };
        EXPECT_TRUE(at::equal(run_scheduler(*scheduler, network, at::randn({1, 1, 2, 2, 2})), data)) << type;
    }
}

TEST(LogSnrSchedulers, RefuseAScheduleWithoutNoise) {
    for (const std::string type : {"dpmpp_2m", "unipc"}) {
        expect_contains(refusal("{beta_start: 0, type: " + type + "}", 5), "the noise schedule has a beta of 0");
        expect_contains(refusal("{beta_end: 1, type: " + type + "}", 5), "no data left at its end");
    }
}

TEST(LogSnrSchedulers, ClipWhereTheModelSaysSo) {
    const at::Tensor far = at::tensor({5.0F}).view({1, 1, 1, 1, 1});
    for (const auto& [clip, end] : {std::pair{"true", 1.0}, std::pair{"false", 5.0}}) {
        const auto scheduler =
            scheduler_of(std::string("{type: dpmpp_2m, prediction_type: sample, clip_sample: ") + clip + "}");
        scheduler->set_timesteps(3, 1);
        const StandInNetwork network = [&](const at::Tensor&, const at::Tensor&) { return far; };
        EXPECT_EQ(run_scheduler(*scheduler, network, far).item<double>(), end);
    }
}

}  // namespace voldiff

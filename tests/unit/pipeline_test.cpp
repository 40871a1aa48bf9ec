// The stages of a run, each by itself.
#include "core/decode/decode.h"
#include "core/error.h"
#include "core/networks/autoencoder_kl.h"
#include "core/networks/diffusion_unet.h"
#include "core/pipeline/conditions.h"
#include "core/pipeline/denoise.h"
#include "core/pipeline/intensity.h"
#include "core/pipeline/random.h"

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>

namespace voldiff {
namespace {

DiffusionUnetConfig small_unet() {
    DiffusionUnetConfig config = DiffusionUnetConfig::of("DiffusionModelUNetMaisi");
    config.num_channels = {4, 8};
    config.attention_levels = {false, true};
    config.num_head_channels = PerLevel(4);
    config.num_res_blocks = PerLevel(1);
    config.norm_num_groups = 2;
    config.num_class_embeds = 12;
    config.include_spacing_input = true;
    return config;
}

AutoencoderKlConfig small_autoencoder() {
    AutoencoderKlConfig config = AutoencoderKlConfig::of("AutoencoderKlMaisi");
    config.num_channels = {4, 8};
    config.num_res_blocks = PerLevel(1);
    config.attention_levels = {false, false};
    config.latent_channels = 4;
    config.norm_num_groups = 2;
    return config;
}

void fill_weights(Module& module) {
    auto generator = at::detail::createCPUGenerator(3);
    for (const auto& [key, tensor] : module.named_tensors()) tensor->copy_(at::randn(tensor->sizes(), generator) * 0.2);
}

ErrorCode code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorCode::internal;
}

TEST(NormalNoise, EqualsTorchManualSeed) {
    // torch.manual_seed(0); torch.randn(2, 8)
    const at::Tensor first = NormalNoise(0).draw({2, 8}).flatten();
    EXPECT_EQ(first[0].item<float>(), -1.12583983F);
    EXPECT_EQ(first[1].item<float>(), -1.15236020F);
    // torch.manual_seed(12345678901); torch.randn(17)
    const at::Tensor second = NormalNoise(12345678901).draw({17});
    EXPECT_EQ(second[0].item<float>(), 0.223975122F);
    EXPECT_EQ(second[1].item<float>(), 0.567122102F);
}

TEST(Conditions, SpacingIsRoundedToHalfPrecision) {
    // 1.234 mm * 100 in float16, as the reference's script gives it to the network.
    ImageConditions image;
    image.spacing = {1.234, 1.7, 2.0};
    const UnetConditions conditions = image_only_conditions(small_unet(), image);
    const at::Tensor expected = at::tensor({123.375F, 170.0F, 200.0F}).view({1, 3});
    EXPECT_TRUE(at::equal(conditions.spacing_tensor, expected));
    EXPECT_FALSE(conditions.top_region_index_tensor.defined());
    EXPECT_EQ(conditions.class_labels.item<std::int64_t>(), 1);
}

TEST(Conditions, RefuseAClassThatTheNetworkLacks) {
    ImageConditions image;
    image.modality = 12;
    EXPECT_EQ(code_of([&] { image_only_conditions(small_unet(), image); }), ErrorCode::config);
}

TEST(LatentShape, DividesByBothNetworks) {
    EXPECT_EQ(latent_shape(small_autoencoder(), small_unet(), {8, 12, 16}), (std::vector<std::int64_t>{1, 4, 4, 6, 8}));
    for (const Extents& size : {Extents{8, 10, 16}, Extents{0, 8, 8}, Extents{-8, 8, 8}}) {
        EXPECT_EQ(code_of([&] { latent_shape(small_autoencoder(), small_unet(), size); }), ErrorCode::config);
    }
}

TEST(Intensity, ClipsAndTruncatesTowardZero) {
    const at::Tensor decoded = at::tensor({-0.1F, 0.0003F, 0.49965F, 0.5F, 1.2F}).view({1, 1, 1, 1, 5});
    const at::Tensor ct = to_int16(to_intensity(decoded, made_range(1))).flatten();
    const at::Tensor expected_ct = at::tensor({-1000, -999, 0, 0, 1000}).to(at::kShort);
    EXPECT_TRUE(at::equal(ct, expected_ct)) << ct;
    const at::Tensor mr = to_int16(to_intensity(decoded, made_range(first_mr_modality))).flatten();
    EXPECT_TRUE(at::equal(mr, at::tensor({0, 0, 499, 500, 1200}).to(at::kShort))) << mr;
}

TEST(CheckFinite, NamesTheStageAndCounts) {
    at::Tensor x = at::ones({4});
    EXPECT_NO_THROW(check_finite(x, "here"));
    x[1] = NAN;
    x[3] = INFINITY;
    try {
        check_finite(x, "denoising, step 3 of 9");
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::numerical);
        EXPECT_NE(std::string(error.what()).find("denoising, step 3 of 9: 2 of 4 values"), std::string::npos);
    }
}

class SmallRun : public ::testing::Test {
  protected:
    SmallRun() : unet(small_unet()) {
        fill_weights(unet);
        scheduler = find_scheduler("rflow").make();
        scheduler->prepare();
        scheduler->set_timesteps(3, 64);
        conditions = image_only_conditions(small_unet(), {});
    }
    at::Tensor run(double guidance, const StepObserver& observer = {}) {
        NormalNoise noise(1);
        return denoise(unet, *scheduler, noise.draw({1, 4, 4, 4, 4}), Steering{conditions, guidance, nullptr, {}, {}},
                       noise, observer);
    }
    DiffusionUnet unet;
    std::unique_ptr<Scheduler> scheduler;
    UnetConditions conditions;
};

TEST_F(SmallRun, GuidanceOfOneIsTheConditionalPrediction) {
    // uncond + 1 * (cond - uncond); two roundings of values of order one a step.
    EXPECT_TRUE(at::allclose(run(1), run(0), 1e-4, 1e-5));
    EXPECT_FALSE(at::allclose(run(3), run(0), 1e-4, 1e-5));
}

TEST_F(SmallRun, ObservesEveryStepAndCanBeStopped) {
    std::vector<std::size_t> steps;
    run(0, [&](std::size_t step, std::size_t all, const at::Tensor&, const at::Tensor&) {
        EXPECT_EQ(all, 3U);
        steps.push_back(step);
    });
    EXPECT_EQ(steps, (std::vector<std::size_t>{1, 2, 3}));
    EXPECT_EQ(code_of([&] {
                  run(0, [](std::size_t, std::size_t, const at::Tensor&, const at::Tensor&) {
                      throw Error(ErrorCode::cancelled, "stop");
                  });
              }),
              ErrorCode::cancelled);
}

// Gives no residuals and notes what it is asked.
class NotingController : public Controller {
  public:
    explicit NotingController(bool embeds) : embeds_(embeds) {}
    at::Tensor embed(const at::Tensor& controlnet_cond) override {
        embedded += 1;
        return embeds_ ? controlnet_cond * 2 : at::Tensor();
    }
    UnetResiduals forward(const at::Tensor&, const at::Tensor&, const ControlNetConditions& conditions) override {
        asked.push_back(conditions);
        return {};
    }
    const ControlNetConfig& config() const override { return config_; }
    at::TensorOptions options() const override { return at::kFloat; }

    int embedded = 0;
    std::vector<ControlNetConditions> asked;

  private:
    bool embeds_;
    ControlNetConfig config_;
};

TEST_F(SmallRun, EmbedsTheConditioningOnceForAllSteps) {
    for (const bool embeds : {true, false}) {
        NotingController controller(embeds);
        NormalNoise noise(1);
        denoise(unet, *scheduler, noise.draw({1, 4, 4, 4, 4}),
                {conditions, 2.0, &controller, at::ones({1, 1, 2, 2, 2}), at::zeros({1, 1, 2, 2, 2})}, noise);
        EXPECT_EQ(controller.embedded, 2) << "one for each half";
        ASSERT_EQ(controller.asked.size(), 3U);
        for (const ControlNetConditions& asked : controller.asked) {
            EXPECT_NE(asked.embedding.defined(), asked.controlnet_cond.defined());
            const at::Tensor& given = embeds ? asked.embedding : asked.controlnet_cond;
            ASSERT_EQ(given.sizes(), at::IntArrayRef({2, 1, 2, 2, 2}));
            EXPECT_EQ(given.sum().item<float>(), embeds ? 16 : 8) << "the second half is without";
        }
    }
}

TEST_F(SmallRun, NotFiniteWeightsStopAtTheFirstStep) {
    for (const auto& [key, tensor] : unet.named_tensors()) tensor->fill_(NAN);
    EXPECT_EQ(code_of([&] { run(0); }), ErrorCode::numerical);
}

TEST(Decode, MethodsMakeTheSameShape) {
    AutoencoderKl autoencoder(small_autoencoder());
    fill_weights(autoencoder);
    for (const DecodeMethod& method : decode_methods()) {
        DecodeOptions options;
        options.method = method.name;
        options.roi = {4, 4, 4};
        const at::Tensor image = decode_latent(autoencoder, at::ones({1, 4, 6, 4, 8}), options);
        EXPECT_EQ(image.sizes(), at::IntArrayRef({1, 1, 12, 8, 16})) << method.name;
    }
}

}  // namespace
}  // namespace voldiff

// From an image to a latent: intensities, padding, the ways to run the encoder.
#include "core/encode/encode.h"

#include "core/encode/padding.h"
#include "core/pipeline/intensity.h"
#include "core/pipeline/random.h"
#include "tests/config_helpers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <limits>

namespace voldiff {

namespace {

// An autoencoder without weights, for the ways around it: the mean of 2 x 2 x 2 voxels, sigma 0.5.
class PoolingAutoencoder : public Autoencoder {
  public:
    PoolingAutoencoder() { config_.num_channels = {1, 1}; }
    LatentDistribution encode(const at::Tensor& image, const BlockProgress& progress) override {
        ++calls;
        const at::Tensor mean = at::avg_pool3d(image, 2);
        if (progress) progress(1, 1);
        return {mean, at::full_like(mean, 0.5)};
    }
    at::Tensor decode(const at::Tensor& latent, const BlockProgress&) override { return latent; }
    const AutoencoderKlConfig& config() const override { return config_; }
    at::TensorOptions options() const override { return at::kFloat; }

    int calls = 0;

  private:
    AutoencoderKlConfig config_;
};

EncodeOptions windows(const Extents& roi, double overlap) { return {"sliding_window", roi, overlap, std::nullopt}; }

}  // namespace

TEST(IntensityRange, OfCtIsFixedAndClips) {
    const at::Tensor hu = at::tensor({-2000, -1000, 0, 500, 1000, 3000}, at::kShort).view({6, 1, 1});
    const IntensityRange range = range_of(hu, 1);
    const at::Tensor scaled = from_intensity(hu, range);
    EXPECT_TRUE(at::equal(scaled.flatten(), at::tensor({0.0F, 0.0F, 0.5F, 0.75F, 1.0F, 1.0F})));
    const at::Tensor back = to_intensity(scaled.unsqueeze(0).unsqueeze(0), range);
    EXPECT_TRUE(at::equal(back.flatten(), at::tensor({-1000.0F, -1000.0F, 0.0F, 500.0F, 1000.0F, 1000.0F})));
}

TEST(IntensityRange, OfMrGoesToThePercentileAndBeyond) {
    const at::Tensor volume = (at::arange(201, at::kFloat) + 10).view({201, 1, 1});  // 99.5 % of 200 intervals is 199
    const IntensityRange range = range_of(volume, first_mr_modality);
    EXPECT_EQ(range.lower, 10);
    EXPECT_NEAR(range.upper, 209, 1e-9);
    const at::Tensor scaled = from_intensity(volume, range);
    EXPECT_GT(scaled.max().item<double>(), 1);
    const at::Tensor back = to_intensity(scaled.unsqueeze(0).unsqueeze(0), range);
    EXPECT_TRUE(at::allclose(back, volume, 1e-6, 0));
    // numpy.percentile([0, 1, 4, 9], 99.5) is 8.925
    EXPECT_NEAR(range_of(at::tensor({9.0F, 0.0F, 4.0F, 1.0F}).view({4, 1, 1}), 9).upper, 8.925, 1e-6);
}

TEST(IntensityRange, NeedsAnImage) {
    expect_contains(message_of(ErrorCode::config, [] { range_of(at::ones({4, 4, 4}), 9); }), "99.5 %");
    EXPECT_NO_THROW(range_of(at::ones({4, 4, 4}), 1));
    at::Tensor broken = at::ones({4, 4, 4});
    broken[1][2][3] = std::numeric_limits<float>::quiet_NaN();
    expect_contains(message_of(ErrorCode::numerical, [&] { range_of(broken, 1); }), "the volume to encode: 1 of 64");
}

TEST(Padding, RoundsUpAndIsTakenAwayAgain) {
    EXPECT_EQ(padded_size({122, 101, 112}, 4), (Extents{124, 104, 112}));
    EXPECT_EQ(padding_before({122, 101, 112}, {124, 104, 112}), (Extents{1, 1, 0}));  // the larger half is behind
    const at::Tensor x = at::randn({2, 3, 5, 4});
    const at::Tensor padded = pad_to(x, {4, 8, 4});
    EXPECT_EQ(padded.sizes(), (at::IntArrayRef{2, 4, 8, 4}));
    EXPECT_NEAR(padded.sum().item<double>(), x.sum().item<double>(), 1e-4);
    EXPECT_EQ(padded.select(1, 3).abs().max().item<double>(), 0) << "3 -> 4: the one is behind";
    EXPECT_TRUE(at::equal(crop_to(padded, {3, 5, 4}), x));
}

TEST(EncodeImage, TakesTheMeanOrDrawsWithTheSeed) {
    PoolingAutoencoder autoencoder;
    const at::Tensor image = at::randn({1, 1, 4, 6, 8});
    EncodeOptions options{"whole"};
    const at::Tensor mean = encode_image(autoencoder, image, options);
    EXPECT_TRUE(at::equal(mean, at::avg_pool3d(image, 2)));
    options.seed = 7;
    const at::Tensor expected = mean + NormalNoise(7).draw(mean.sizes()) * 0.5;
    EXPECT_TRUE(at::equal(encode_image(autoencoder, image, options), expected));
}

// Each latent voxel depends on its own image voxels only, so windows must change nothing: they would if one did not
// start at a whole latent voxel. An overlap of 0.4 of 6 voxels moves windows by 3.
TEST(EncodeImage, WindowsStartAtLatentVoxels) {
    PoolingAutoencoder autoencoder;
    const at::Tensor image = at::randn({1, 1, 14, 10, 6});
    const at::Tensor found = encode_image(autoencoder, image, windows({3, 3, 3}, 0.4));
    EXPECT_GT(autoencoder.calls, 4);
    EXPECT_TRUE(at::allclose(found, at::avg_pool3d(image, 2), 1e-5, 1e-6));
}

TEST(EncodeImage, AWindowAsLargeAsTheImageIsOneCall) {
    PoolingAutoencoder autoencoder;
    const at::Tensor image = at::randn({1, 1, 8, 8, 8});
    EXPECT_TRUE(at::equal(encode_image(autoencoder, image, windows({4, 4, 4}, 0.4)), at::avg_pool3d(image, 2)));
    EXPECT_EQ(autoencoder.calls, 1);
}

TEST(EncodeImage, RefusesWhatIsNotFinite) {
    PoolingAutoencoder autoencoder;
    const at::Tensor image = at::ones({1, 1, 4, 4, 4}) * std::numeric_limits<float>::infinity();
    expect_contains(message_of(ErrorCode::numerical, [&] { encode_image(autoencoder, image, {"whole"}); }), "encoding");
}

TEST(EncodeMethod, IsTheLargestThatFits) {
    AutoencoderKlConfig config;
    config.num_channels = {64, 128, 256};
    const Extents latent{128, 128, 128};
    const double whole = predicted_encode_memory(config, latent);
    EXPECT_EQ(choose_encode_method({}, config, latent, whole).method, "whole");
    EXPECT_EQ(choose_encode_method({}, config, latent, whole - 1).method, "sliding_window");
    EXPECT_EQ(choose_encode_method({"sliding_window"}, config, latent, whole).method, "sliding_window");
    expect_contains(message_of(ErrorCode::memory, [&] { choose_encode_method({"whole"}, config, latent, whole / 2); }),
                    "encoding needs about");
    expect_contains(message_of(ErrorCode::memory, [&] { choose_encode_method({}, config, latent, 1e6); }),
                    "encode.roi");
}

}  // namespace voldiff

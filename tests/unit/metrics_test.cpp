// Metrics against values by hand and by numpy and scipy, and what must hold for any volume.
#include "core/error.h"
#include "core/metrics/difference.h"
#include "core/metrics/distribution.h"
#include "core/metrics/ssim.h"
#include "tests/config_helpers.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>

namespace voldiff {
namespace {

// Volumes that numpy can make too: a 64-bit linear congruential generator (Knuth's MMIX), the upper 32 bits as a
// fraction of 1, x slowest.
at::Tensor lcg_volume(std::uint64_t state, double low, double high) {
    at::Tensor volume = at::empty({14, 13, 15}, at::kDouble);
    for (std::int64_t i = 0; i < volume.numel(); ++i) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        volume.data_ptr<double>()[i] = low + (high - low) * static_cast<double>(state >> 32U) / 4294967296.0;
    }
    return volume;
}

at::Tensor volume_a() { return lcg_volume(1, -1000, 1000); }
at::Tensor volume_b() { return (volume_a() + lcg_volume(2, -300, 300)).clamp(-1000, 1000); }

at::Tensor as_row(const at::Tensor& values) { return values.view({1, 1, -1}); }

void expect_refusal(const std::function<void()>& action) { message_of(ErrorCode::config, action); }

TEST(Metrics, ByHand) {
    const at::Tensor a = as_row(at::tensor({0, 10, -5, 7}, at::kShort));
    const at::Tensor b = as_row(at::tensor({3, 10, -9, 7}, at::kShort));
    EXPECT_DOUBLE_EQ(mean_absolute_error(a, b), 7.0 / 4);
    EXPECT_DOUBLE_EQ(root_mean_square_error(a, b), 2.5) << "sqrt((9 + 16) / 4)";
    EXPECT_DOUBLE_EQ(peak_signal_to_noise_ratio(a, b, 250), 40) << "20 log10(250 / 2.5)";
    EXPECT_DOUBLE_EQ(histogram_distance(a, b), 7.0 / 4) << "sorted -5 0 7 10 and -9 3 7 10";
}

TEST(Metrics, OfDifferentTypes) {
    const at::Tensor a = as_row(at::tensor({32767, -32768}, at::kShort));
    const at::Tensor b = as_row(at::tensor({-32768.0F, 32767.0F}));
    EXPECT_DOUBLE_EQ(mean_absolute_error(a, b), 65535) << "a difference of int16 would wrap";
    EXPECT_DOUBLE_EQ(histogram_distance(a, b), 0);
}

TEST(Metrics, EqualVolumes) {
    const at::Tensor a = volume_a();
    EXPECT_EQ(mean_absolute_error(a, a), 0);
    EXPECT_EQ(root_mean_square_error(a, a), 0);
    EXPECT_EQ(peak_signal_to_noise_ratio(a, a, 2000), INFINITY);
    EXPECT_DOUBLE_EQ(ssim_3d(a, a, 2000), 1);
    EXPECT_EQ(histogram_distance(a, a), 0);
    const at::Tensor constant = at::full({11, 11, 11}, -1000, at::kShort);
    EXPECT_DOUBLE_EQ(ssim_3d(constant, constant, 2000), 1);
    EXPECT_EQ(histogram_distance(constant, constant), 0) << "no range to cut into steps";
}

TEST(Metrics, AsNumpyAndScipy) {
    // a, b as above in numpy, double; scipy.stats.wasserstein_distance(a.ravel(), b.ravel()).
    EXPECT_NEAR(mean_absolute_error(volume_a(), volume_b()), 139.4332116670504, 1e-9);
    EXPECT_NEAR(root_mean_square_error(volume_a(), volume_b()), 164.5214398911609, 1e-9);
    EXPECT_NEAR(peak_signal_to_noise_ratio(volume_a(), volume_b(), 2000), 21.6961498773235, 1e-9);
    EXPECT_NEAR(histogram_distance(volume_a(), volume_b()), 11.398957033791739, std::ldexp(1, -9))
        << "a step of the grid";
}

TEST(Ssim, AsNumpyAndScipy) {
    // w = exp(-(arange(-5, 6) / 1.5)**2 / 2); w /= w.sum(); means by scipy.ndimage.correlate1d along each axis, cut to
    // [5:-5]; a second computation over explicit 11^3 windows, sum(W * (x - mean)**2), agrees to 1e-15.
    EXPECT_NEAR(ssim_3d(volume_a(), volume_b(), 2000), 0.7431326373988268, 1e-12);
    EXPECT_NEAR(ssim_3d(volume_a(), volume_b(), 500), 0.5858606384393664, 1e-12);
}

TEST(Ssim, OfConstantVolumesIsTheLuminanceTerm) {
    const at::Tensor a = at::full({12, 11, 13}, 100, at::kShort);
    const at::Tensor b = at::full({12, 11, 13}, 300, at::kShort);
    const double c1 = 400;  // (0.01 * 2000)^2
    EXPECT_NEAR(ssim_3d(a, b, 2000), (2 * 100 * 300 + c1) / (100 * 100 + 300 * 300 + c1), 1e-12);
}

TEST(Ssim, IsSymmetricAndDoesNotDependOnAxesOrSlabs) {
    auto generator = at::detail::createCPUGenerator(5);
    const at::Tensor a = at::randn({470, 96, 96}, generator) * 100;  // 4.3 million voxels: two slabs
    const at::Tensor b = a + at::randn({470, 96, 96}, generator) * 50;
    const double expected = ssim_3d(a, b, 2000);
    EXPECT_NEAR(ssim_3d(b, a, 2000), expected, 1e-12);
    EXPECT_NEAR(ssim_3d(a.permute({1, 2, 0}), b.permute({1, 2, 0}), 2000), expected, 1e-12);
    EXPECT_NEAR(ssim_3d(a.flip(0), b.flip(0), 2000), expected, 1e-12);
}

TEST(Ssim, RefusesWhatItCannotSee) {
    const at::Tensor thin = at::zeros({11, 11, 10});
    expect_refusal([&] { ssim_3d(thin, thin, 2000); });
    expect_refusal([&] { ssim_3d(volume_a(), volume_a(), 0); });
    expect_refusal([&] { ssim_3d(volume_a(), volume_a().slice(0, 1), 2000); });
}

TEST(HistogramDistance, OfAShiftIsTheShift) {
    const at::Tensor a = volume_a();
    EXPECT_NEAR(histogram_distance(a, a + 7.25), 7.25, 1e-9);
    EXPECT_NEAR(histogram_distance(a, a - 300), 300, 1e-9);
    const at::Tensor whole = a.round().to(at::kShort);
    EXPECT_DOUBLE_EQ(histogram_distance(whole, whole + 3), 3);
}

TEST(HistogramDistance, IsBlindToPlacesAndAtMostTheMeanAbsoluteError) {
    const at::Tensor a = volume_a();
    EXPECT_EQ(histogram_distance(a, a.flip(1)), 0);
    EXPECT_GT(mean_absolute_error(a, a.flip(1)), 100);
    EXPECT_LE(histogram_distance(a, volume_b()), mean_absolute_error(a, volume_b()));
}

TEST(HistogramDistance, OfVolumesOfDifferentSizes) {
    EXPECT_DOUBLE_EQ(histogram_distance(at::tensor({0, 10}), at::tensor({0})), 5) << "half of the voxels move by 10";
}

TEST(LabelMedians, ByHand) {
    const at::Tensor volume = as_row(at::tensor({-1000, 5, 1, 9, 40, 60, 50, 51}, at::kShort));
    const at::Tensor labels = as_row(at::tensor({0, 3, 3, 3, 7, 7, 7, 7}, at::kByte));
    const std::map<std::int64_t, double> expected = {{3, 5}, {7, 50.5}};
    EXPECT_EQ(label_medians(volume, labels), expected) << "the background is left out, an even count averages two";
    EXPECT_TRUE(label_medians(volume, labels * 0).empty());
}

TEST(LabelMedians, RefusesWhatIsNoMapOfOrgans) {
    expect_refusal([] { label_medians(at::zeros({2, 2, 2}), at::zeros({2, 2, 1}, at::kInt)); });
    const at::Tensor all_different = as_row(at::arange(5000, at::kInt));
    expect_refusal([&] { label_medians(all_different, all_different); });
}

TEST(Metrics, RefuseVolumesOfDifferentSizes) {
    const at::Tensor a = at::zeros({2, 3, 4});
    const at::Tensor b = at::zeros({4, 3, 2});
    expect_refusal([&] { mean_absolute_error(a, b); });
    expect_refusal([&] { root_mean_square_error(a, b); });
    expect_refusal([&] { mean_absolute_error(at::zeros({0, 2, 2}), at::zeros({0, 2, 2})); });
}

}  // namespace
}  // namespace voldiff

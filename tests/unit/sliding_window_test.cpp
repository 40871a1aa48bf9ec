#include "core/decode/sliding_window.h"

#include "core/error.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/prod.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace voldiff {
namespace {

at::Tensor ramp(at::IntArrayRef shape) {
    return at::arange(at::prod(at::tensor(shape)).item<double>(), at::kFloat).view(shape);
}

TEST(SlidingWindow, APointwiseFunctionComesOutUnchanged) {
    const at::Tensor x = ramp({1, 2, 7, 6, 5});
    SlidingWindowOptions options;
    options.roi_size = {4, 3, 5};
    const at::Tensor y = sliding_window_inference(x, options, [](const at::Tensor& w) { return 2 * w; });
    EXPECT_TRUE(at::allclose(y, 2 * x, 1e-5, 1e-4));
}

TEST(SlidingWindow, CoversEveryVoxelAndStaysInside) {
    const Extents image{11, 9, 5};
    const Extents roi{4, 4, 5};
    const Extents interval = scan_interval(image, roi, {0.4, 0.9, 0.4});
    at::Tensor covered = at::zeros({11, 9, 5});
    for (const Extents& start : dense_patch_starts(image, roi, interval)) {
        for (std::size_t axis = 0; axis < 3; ++axis) {
            EXPECT_GE(start[axis], 0);
            EXPECT_LE(start[axis] + roi[axis], image[axis]);
        }
        covered.slice(0, start[0], start[0] + 4).slice(1, start[1], start[1] + 4).add_(1);
    }
    EXPECT_GT(covered.min().item<double>(), 0);
}

TEST(SlidingWindow, CountsItsWindows) {
    SlidingWindowOptions options;
    options.roi_size = {4, 4, 4};
    std::size_t last = 0;
    std::size_t all = 0;
    sliding_window_inference(
        ramp({1, 1, 8, 8, 4}), options, [](const at::Tensor& w) { return w; },
        [&](std::size_t done, std::size_t windows) {
            EXPECT_EQ(done, last + 1);
            last = done;
            all = windows;
        });
    EXPECT_EQ(last, all);
    EXPECT_EQ(all, 9U);  // step 2 on two axes: windows at 0, 2 and 4
}

TEST(SlidingWindow, RefusesAnOverlapOfOne) {
    SlidingWindowOptions options;
    options.overlap = {0.4, 1.0, 0.4};
    EXPECT_THROW(sliding_window_inference(ramp({1, 1, 2, 2, 2}), options, [](const at::Tensor& w) { return w; }),
                 Error);
    EXPECT_THROW(importance_map({2, 2, 2}, "linear", {0.1, 0.1, 0.1}), Error);
}

TEST(DynamicInfer, ComparesVoxelCountsNotExtents) {
    SlidingWindowOptions options;
    options.roi_size = {4, 4, 4};
    int calls = 0;
    const Predictor count = [&](const at::Tensor& w) {
        ++calls;
        return w;
    };
    dynamic_infer(ramp({1, 1, 16, 2, 2}), options, count);  // as many voxels as a window
    EXPECT_EQ(calls, 1);
    calls = 0;
    dynamic_infer(ramp({1, 1, 17, 2, 2}), options, count);
    EXPECT_GT(calls, 1);
}

}  // namespace
}  // namespace voldiff

#include "core/anatomy/augmentation.h"

#include "core/anatomy/numpy_random.h"
#include "tests/config_helpers.h"
#include "tests/support/label_volumes.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

namespace voldiff {

TEST(NumpyRandom, EqualsRandomState) {
    NumpyRandom first(0U);  // numpy.random.RandomState(0): rand(), uniform(-2, 3), uniform(0.99, 1.01)
    EXPECT_EQ(first.uniform(), 0.5488135039273248);
    EXPECT_EQ(first.uniform(-2, 3), 1.5759468318620975);
    EXPECT_EQ(first.uniform(0.99, 1.01), 1.002055267521433);
    NumpyRandom last(4294967295U);  // numpy.random.RandomState(4294967295): rand(), uniform(-2, 3), uniform(0.99, 1.01)
    EXPECT_EQ(last.uniform(), 0.0976320289940138);
    EXPECT_EQ(last.uniform(-2, 3), 2.5619142265131094);
    EXPECT_EQ(last.uniform(0.99, 1.01), 1.0057807060370327);
}

TEST(ZoomLabels, CropsOrRepeatsTheBorder) {
    const at::Tensor row = at::arange(10, at::kInt).view({10, 1, 1}).expand({10, 10, 10}).contiguous();
    const auto along_x = [&](double factor) { return zoom_labels(row, factor).select(2, 0).select(1, 0); };
    EXPECT_TRUE(at::equal(along_x(1), at::arange(10, at::kInt)));
    // 8 voxels take 0, 1, 2, 3, 5, 6, 7, 8; one more before and after.
    EXPECT_TRUE(at::equal(along_x(0.8), at::tensor({0, 0, 1, 2, 3, 5, 6, 7, 8, 8}, at::kInt)));
    // 20 voxels take each twice; the ten from number 5 on stay.
    EXPECT_TRUE(at::equal(along_x(2), at::tensor({2, 3, 3, 4, 4, 5, 5, 6, 6, 7}, at::kInt)));
    message_of(ErrorCode::config, [&] { zoom_labels(row, 0.01); });
}

TEST(AugmentBody, ChangesLittleAndTheSameForASeed) {
    at::Tensor labels = empty_labels(120, 120, 4, at::kByte);
    fill_box(labels, {20, 20, 1}, {99, 99, 2}, 200);
    const at::Tensor augmented = augment_body(labels, 3);
    EXPECT_TRUE(at::equal(augment_body(labels, 3), augmented));
    EXPECT_EQ(augmented.sizes(), labels.sizes());
    EXPECT_EQ(augmented.scalar_type(), at::kByte);
    EXPECT_NEAR(static_cast<double>(voxels_of(augmented, 200)), 12800.0, 800.0)
        << "an edge of 80 gains or loses 2 at most";
}

}  // namespace voldiff

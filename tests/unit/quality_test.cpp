#include "core/anatomy/quality.h"

#include "tests/config_helpers.h"
#include "tests/support/label_volumes.h"

#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>

#include <limits>

namespace voldiff {

namespace {

const std::vector<MedianStatistics> two_organs = {{"liver", -20, 150, 10, 160}, {"bone", 70, 470, 130, 550}};

OrganQuality quality_of_liver(const at::Tensor& hu) {
    return check_quality(two_organs, hu, at::ones_like(hu, at::kInt)).front();
}

}  // namespace

TEST(Quality, BoundsAreTheWiderOfBothStatistics) {
    const OrganQuality liver = quality_of_liver(at::tensor({100.0F}));
    EXPECT_EQ(liver.low, -20);
    EXPECT_EQ(liver.high, 160);
    EXPECT_FALSE(liver.outlier);
    EXPECT_FALSE(quality_of_liver(at::tensor({160.0F})).outlier) << "the bound itself is within";
    EXPECT_TRUE(quality_of_liver(at::tensor({160.5F})).outlier);
    EXPECT_TRUE(quality_of_liver(at::tensor({-21.0F})).outlier);
}

TEST(Quality, MedianLeavesOutNan) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(quality_of_liver(at::tensor({1.0F, nan, 5.0F, 100.0F})).median, 5);
    EXPECT_EQ(quality_of_liver(at::tensor({6.0F, 1.0F, nan, 5.0F, 100.0F})).median, 5.5)
        << "the mean of the middle two";
    EXPECT_EQ(quality_of_liver(at::tensor({nan})).median, std::nullopt);
    EXPECT_FALSE(quality_of_liver(at::tensor({nan})).outlier);
}

TEST(Quality, AnOrganMayHaveSeveralLabels) {
    const at::Tensor hu = at::tensor({900.0F, 1001.0F, 1002.0F});
    const auto results = check_quality(two_organs, hu, at::tensor({33, 97, 127}, at::kInt));
    EXPECT_EQ(results.front().median, std::nullopt) << "no liver there";
    EXPECT_EQ(results.back().median, 1001);
    EXPECT_EQ(results.back().high, 1000) << "whatever the statistics say";
    EXPECT_TRUE(results.back().outlier);
}

TEST(Quality, RefusesAnImageOnAnotherGrid) {
    message_of(ErrorCode::config, [] {
        check_quality(two_organs, at::tensor({1.0F, 2.0F}), at::tensor({1}, at::kInt));
    });
}

}  // namespace voldiff

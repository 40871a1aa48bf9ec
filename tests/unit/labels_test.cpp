#include "core/anatomy/labels.h"

#include "core/anatomy/encoding.h"
#include "core/pipeline/intensity.h"
#include "tests/config_helpers.h"
#include "tests/support/label_volumes.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include <limits>

namespace voldiff {

namespace {

// The label that the channels [N, 8, X, Y, Z] stand for.
at::Tensor decoded(const at::Tensor& channels) {
    const at::Tensor weights = at::tensor({1, 2, 4, 8, 16, 32, 64, 128}, at::kLong).view({1, 8, 1, 1, 1});
    return (channels.to(at::kLong) * weights).sum(1, true);
}

std::vector<std::int64_t> channels_of(std::int64_t label) {
    const at::Tensor channels = binarize_labels(at::full({1, 1, 1, 1, 1}, label, at::kLong)).flatten();
    std::vector<std::int64_t> set;
    for (std::int64_t bit = 0; bit < channels.size(0); ++bit)
        if (channels[bit].item<std::int64_t>() == 1) set.push_back(bit);
    return set;
}

}  // namespace

TEST(BinarizeLabels, GivesOneChannelABit) {
    EXPECT_EQ(channels_of(200), (std::vector<std::int64_t>{3, 6, 7})) << "200 = 8 + 64 + 128";
    EXPECT_EQ(channels_of(0), (std::vector<std::int64_t>{}));
    EXPECT_EQ(channels_of(132), (std::vector<std::int64_t>{2, 7}));
    EXPECT_EQ(channels_of(401), channels_of(145)) << "401 = 256 + 145";
}

TEST(BinarizeLabels, EveryLabelOfTheTableComesBack) {
    at::Tensor labels = at::arange(134, at::kLong);
    labels[133] = 200;
    for (const at::ScalarType type : {at::kByte, at::kShort, at::kInt, at::kLong}) {
        const at::Tensor given = labels.to(type).view({1, 1, 2, 67, 1});
        const at::Tensor channels = binarize_labels(given);
        EXPECT_EQ(channels.sizes(), (std::vector<std::int64_t>{1, 8, 2, 67, 1}));
        EXPECT_EQ(channels.scalar_type(), at::kByte);
        EXPECT_TRUE(at::equal(decoded(channels), labels.view({1, 1, 2, 67, 1})));
    }
}

TEST(BinarizeLabels, RefusesAnotherShape) {
    message_of(ErrorCode::internal, [] { binarize_labels(empty_labels(2, 2, 2)); });
}

TEST(WhereLabel, AValueThatTheTypeCannotHoldIsNowhere) {
    // 401 and 145 are one number modulo 256, and LibTorch compares a byte tensor with 401 as if it were 145.
    const at::Tensor labels = at::tensor({145, 1}, at::kByte);
    EXPECT_FALSE(where_label(labels, 401).any().item<bool>());
    EXPECT_FALSE(where_label(labels, -111).any().item<bool>());
    EXPECT_EQ(where_label(labels, {401, 145}).sum().item<std::int64_t>(), 1);
}

TEST(CountLabels, CountsEveryValueAlsoNegativeOnes) {
    const at::Tensor labels = at::tensor({3, 3, -2, 0, 200, 3}, at::kShort).view({2, 3});
    EXPECT_EQ(count_labels(labels), (LabelCounts{{-2, 1}, {0, 1}, {3, 3}, {200, 1}}));
    EXPECT_TRUE(count_labels(at::zeros({0, 2}, at::kInt)).empty());
    const std::int64_t far = std::numeric_limits<std::int64_t>::max();
    expect_contains(message_of(ErrorCode::config,
                               [&] {
                                   count_labels(at::tensor({-far, far}, at::kLong));
                               }),
                    "expected labels");
}

TEST(AsLabels, TakesWholeNumbersOnly) {
    EXPECT_TRUE(at::equal(as_labels(at::tensor({0.0F, 200.0F})), at::tensor({0, 200}, at::kInt)));
    EXPECT_EQ(as_labels(at::tensor({7}, at::kByte)).scalar_type(), at::kByte);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    expect_contains(message_of(ErrorCode::config, [&] { as_labels(at::tensor({1.0F, 0.5F, nan, 3e9F})); }), "3 of 4");
}

TEST(ReplaceLabels, LooksUpEveryValueInTheOriginal) {
    const at::Tensor labels = at::tensor({1, 2, 3, 9}, at::kInt);
    EXPECT_TRUE(at::equal(replace_labels(labels, {{1, 2}, {2, 3}, {3, 1}}), at::tensor({2, 3, 1, 9}, at::kInt)));
    EXPECT_TRUE(at::equal(labels, at::tensor({1, 2, 3, 9}, at::kInt))) << "the argument stays";
}

TEST(KeepOrgans, NumbersThemInOrderOfTheList) {
    const at::Tensor labels = at::tensor({23, 1, 5, 0, 1}, at::kByte);
    EXPECT_TRUE(at::equal(keep_organs(labels, {1, 23, 1}), at::tensor({2, 1, 0, 0, 1}, at::kLong)));
}

TEST(EvenBackground, IsAirForCtAndNothingForMr) {
    const at::Tensor image = at::tensor({-50.0F, 40.0F});
    const at::Tensor labels = at::tensor({0, 1}, at::kInt);
    EXPECT_TRUE(at::equal(with_even_background(image, labels, made_range(1).lower), at::tensor({-1000.0F, 40.0F})));
    EXPECT_TRUE(at::equal(with_even_background(image, labels, made_range(8).lower), at::tensor({0.0F, 40.0F})));
    EXPECT_EQ(image[0].item<float>(), -50.0F) << "the argument stays";
}

}  // namespace voldiff

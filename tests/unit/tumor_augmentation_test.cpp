#include "io/anatomy/tumor_augmentation.h"

#include "core/anatomy/labels.h"
#include "io/volume/volume.h"
#include "tests/config_helpers.h"
#include "tests/support/label_volumes.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>

namespace voldiff {

namespace {

using Point = std::array<std::int64_t, 3>;

// A body of 48 x 52 x 40 voxels around one organ.
at::Tensor body_with(std::int64_t organ, Point from = {8, 8, 6}, Point to = {39, 43, 33}) {
    at::Tensor labels = empty_labels(48, 52, 40, at::kShort);
    fill_box(labels, {3, 3, 2}, {44, 48, 37}, label::body);
    fill_box(labels, from, to, organ);
    return labels;
}

at::Tensor with_ball(at::Tensor labels, double radius, std::int64_t label, Point centre = {22, 24, 20}) {
    const auto squares = [&](std::int64_t axis) {
        return (at::arange(labels.size(axis), at::kDouble) - static_cast<double>(centre[axis])).pow(2);
    };
    const at::Tensor distance = squares(0).view({-1, 1, 1}) + squares(1).view({1, -1, 1}) + squares(2).view({1, 1, -1});
    return labels.masked_fill(distance <= radius * radius, label);
}

// Positions are float32 in the reference, sums of other order than ours: about 1e-5 voxels apart, so that a voxel of
// the tumour's surface (some hundred here) may fall to the other side once in 1e3 masks.
void expect_as_reference(const std::string& name, const at::Tensor& labels, std::uint32_t seed) {
    const at::Tensor expected = read_volume(std::string(TEST_DATA) + "/augmentation/" + name + ".nii.gz").voxels;
    const at::Tensor found = augment_mask(labels, seed);
    EXPECT_EQ(found.scalar_type(), labels.scalar_type());
    EXPECT_EQ(found.ne(expected.to(at::kShort)).sum().item<std::int64_t>(), 0) << name;
}

}  // namespace

TEST(AugmentMask, MovesTumoursAsTheReference) {
    expect_as_reference("liver", with_ball(body_with(1), 6, 26), 3);
    expect_as_reference("pancreas", with_ball(body_with(4), 6, 24), 4);
    expect_as_reference("colon", with_ball(body_with(62), 5, 27), 6);
    expect_as_reference("bone", with_ball(body_with(40), 5, 128), 7);
    expect_as_reference("brain", with_ball(with_ball(body_with(22), 7, 401), 4, 402), 8);
}

TEST(AugmentMask, FillsThePlaceOfALungTumourWithTheLobeAroundIt) {
    at::Tensor labels = body_with(28);
    fill_box(labels, {24, 8, 6}, {39, 43, 33}, 30);
    expect_as_reference("lung", with_ball(labels, 5, 23), 5);
}

TEST(AugmentMask, LeavesAColonTumourThatFitsNowhere) {
    at::Tensor labels = body_with(62, {22, 8, 18}, {24, 43, 20});
    fill_box(labels, {22, 20, 18}, {24, 27, 20}, 27);
    expect_as_reference("colon_stays", labels, 9);
}

TEST(AugmentMask, SaysWhenNoPlaceIsFound) {
    at::Tensor labels = empty_labels(90, 90, 5, at::kShort);  // a thin frame, which hardly ever falls on itself again
    fill_box(labels, {5, 5, 0}, {84, 84, 4}, 128);
    fill_box(labels, {6, 6, 0}, {83, 83, 4}, 200);
    const std::string message = message_of(ErrorCode::config, [&] { augment_mask(labels, 1); });
    EXPECT_NE(message.find("bone lesion found no place within its organ in 1000 tries"), std::string::npos) << message;
}

TEST(AugmentMask, ZoomsABodyWithoutTumours) {
    at::Tensor labels = empty_labels(120, 120, 4, at::kByte);
    fill_box(labels, {20, 20, 1}, {99, 99, 2}, 200);
    EXPECT_TRUE(at::equal(augment_mask(labels, 3), augment_mask(labels, 3)));
    EXPECT_EQ(count_labels(augment_mask(labels, 3)).count(200), 1U);
}

}  // namespace voldiff

#include "io/anatomy/morphology.h"

#include "core/anatomy/box.h"
#include "io/anatomy/components.h"
#include "tests/config_helpers.h"
#include "tests/support/label_volumes.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>

namespace voldiff {

namespace {

std::int64_t count_of(const at::Tensor& mask) { return mask.sum().item<std::int64_t>(); }

at::Tensor one_voxel(std::int64_t x, std::int64_t y, std::int64_t z) {
    at::Tensor mask = empty_labels(7, 8, 9, at::kBool);
    mask[x][y][z] = true;
    return mask;
}

at::Tensor random_mask(std::uint64_t seed, double share) {
    return at::rand({9, 11, 7}, at::make_generator<at::CPUGeneratorImpl>(seed)) < share;
}

// Another way to the same: the largest value in the box, beyond the border nothing.
at::Tensor pooled(const at::Tensor& mask, std::int64_t size) {
    const at::Tensor values = mask.to(at::kFloat).unsqueeze(0).unsqueeze(0);
    return at::max_pool3d(values, size, 1, size / 2)[0][0] > 0;
}

}  // namespace

TEST(Morphology, DilationIsABoxCutAtTheBorder) {
    EXPECT_EQ(count_of(dilate(one_voxel(3, 3, 3), 3)), 27);
    EXPECT_EQ(count_of(dilate(one_voxel(3, 3, 3), 5)), 125);
    EXPECT_EQ(count_of(dilate(one_voxel(0, 0, 0), 3)), 8);
    EXPECT_EQ(count_of(dilate(one_voxel(3, 3, 3), 1)), 1);
    EXPECT_EQ(count_of(dilate(empty_labels(7, 8, 9, at::kBool), 3)), 0);
}

TEST(Morphology, WithForegroundBeyondTheBorderIsDilatedToo) {
    const std::int64_t border = 7 * 8 * 9 - 5 * 6 * 7;
    EXPECT_EQ(count_of(dilate(empty_labels(7, 8, 9, at::kBool), 3, Beyond::foreground)), border);
}

TEST(Morphology, ErosionKeepsTheBorderOrTakesIt) {
    const at::Tensor full = at::ones({7, 8, 9}, at::kBool);
    EXPECT_EQ(count_of(erode(full, 3)), 7 * 8 * 9);
    EXPECT_EQ(count_of(erode(full, 3, Beyond::background)), 5 * 6 * 7);
    EXPECT_EQ(count_of(erode(dilate(one_voxel(3, 3, 3), 5), 3)), 27);
}

TEST(Morphology, AgreesWithPoolingOnRandomMasks) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const at::Tensor mask = random_mask(seed, seed % 2 == 0 ? 0.02 : 0.9);
        for (const std::int64_t size : {3, 5, 7}) {
            EXPECT_TRUE(at::equal(dilate(mask, size), pooled(mask, size)));
            const at::Tensor eroded = pooled(mask.logical_not(), size).logical_not();
            EXPECT_TRUE(at::equal(erode(mask, size), eroded)) << "with foreground beyond the border";
        }
    }
}

TEST(Morphology, RefusesAnEvenBox) {
    message_of(ErrorCode::internal, [] { dilate(one_voxel(1, 1, 1), 2); });
    message_of(ErrorCode::internal, [] { erode(one_voxel(1, 1, 1), 0); });
}

TEST(ClosedOrgan, FillsAHoleAndLosesTheBorder) {
    at::Tensor labels = empty_labels(9, 9, 9);
    fill_box(labels, {2, 2, 2}, {6, 6, 6}, 5);
    labels[4][4][4] = 7;
    const at::Tensor closed = closed_organ(labels, 5);
    EXPECT_EQ(count_of(closed), 125);
    fill_box(labels, {0, 2, 2}, {6, 6, 6}, 5);
    EXPECT_EQ(count_of(closed_organ(labels, 5)), 6 * 5 * 5) << "the layer at the border";
    EXPECT_EQ(count_of(closed_organ(labels, 99)), 0);
}

TEST(ClosedOrgan, OfAClosedOneIsTheSameAwayFromTheBorder) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        at::Tensor labels = empty_labels(13, 15, 11);
        labels.narrow(0, 2, 9).narrow(1, 2, 11).narrow(2, 2, 7).copy_(random_mask(seed, 0.2));
        const at::Tensor closed = closed_organ(labels, 1);
        EXPECT_TRUE(at::equal(closed_organ(closed.to(at::kInt), 1), closed));
        EXPECT_TRUE(at::equal(closed.logical_or(labels > 0), closed)) << "nothing is lost";
    }
}

TEST(NearOrgan, ReachesThreeVoxelsWhereItMay) {
    at::Tensor labels = empty_labels(12, 3, 3);
    labels[2][1][1] = 4;
    const at::Tensor everywhere = at::ones({12, 3, 3}, at::kBool);
    EXPECT_EQ(count_of(near_organ(labels, 4, everywhere)), 6 * 3 * 3) << "x from 0 to 5";
    EXPECT_EQ(count_of(near_organ(labels, 4, labels > 0)), 1);
}

TEST(Box, HoldsTheMaskAndAMarginWithinTheVolume) {
    EXPECT_FALSE(box_around(empty_labels(3, 3, 3, at::kBool)));
    const auto box = box_around(one_voxel(0, 5, 8), 2);
    ASSERT_TRUE(box);
    EXPECT_EQ(box->start, (std::array<std::int64_t, 3>{0, 3, 6}));
    EXPECT_EQ(box->size, (std::array<std::int64_t, 3>{3, 5, 3}));
}

TEST(Components, AreNumberedByTheirFirstVoxel) {
    at::Tensor mask = empty_labels(5, 5, 5, at::kBool);
    fill_box(mask, {0, 0, 3}, {0, 0, 4}, 1);  // first in order of z fastest
    fill_box(mask, {0, 2, 0}, {0, 2, 0}, 1);
    fill_box(mask, {1, 3, 1}, {1, 3, 1}, 1);  // touches it with a corner
    const Components all = connected_components(mask);
    EXPECT_EQ(all.sizes, (std::vector<std::int64_t>{121, 2, 2}));
    EXPECT_EQ(all.ids[0][0][4].item<std::int64_t>(), 1);
    EXPECT_EQ(all.ids[1][3][1].item<std::int64_t>(), 2);
    EXPECT_EQ(connected_components(mask, Neighbours::faces).sizes, (std::vector<std::int64_t>{121, 2, 1, 1}));
    EXPECT_EQ(connected_components(empty_labels(2, 2, 2, at::kBool)).sizes, (std::vector<std::int64_t>{8}));
}

TEST(Components, TheLargestStays) {
    at::Tensor mask = empty_labels(5, 5, 5, at::kBool);
    fill_box(mask, {0, 0, 0}, {0, 0, 1}, 1);
    fill_box(mask, {2, 2, 2}, {3, 3, 3}, 1);
    EXPECT_EQ(count_of(largest_component(mask)), 8);
    EXPECT_TRUE(at::equal(largest_component(largest_component(mask)), largest_component(mask)));
    EXPECT_EQ(count_of(largest_component(empty_labels(2, 2, 2, at::kBool))), 0);
    fill_box(mask, {2, 2, 2}, {3, 3, 3}, 0);
    fill_box(mask, {4, 4, 3}, {4, 4, 4}, 1);
    EXPECT_TRUE(largest_component(mask)[4][4][4].item<bool>()) << "of equals the last";
}

TEST(SuppressSmallComponents, KeepsTheLargestPartOfEachOrgan) {
    at::Tensor labels = empty_labels(6, 6, 6);
    fill_box(labels, {0, 0, 0}, {1, 1, 1}, 1);
    fill_box(labels, {4, 4, 4}, {4, 4, 5}, 1);
    fill_box(labels, {0, 4, 0}, {0, 4, 0}, 3);
    const Suppressed result = suppress_small_components(labels, {1, 3, 99}, 200);
    EXPECT_EQ(voxels_of(result.labels, 1), 8);
    EXPECT_EQ(voxels_of(result.labels, 200), 2);
    EXPECT_EQ(voxels_of(result.labels, 3), 1);
    EXPECT_EQ(result.decreased, 0) << "200 is more than 1";
    EXPECT_EQ(suppress_small_components(labels, {1}).decreased, 2);
    EXPECT_TRUE(at::equal(suppress_small_components(result.labels, {1, 3}, 200).labels, result.labels));
}

TEST(SuppressSmallComponents, TheBackgroundGoesWhereItIsNotAmongTheTwoLargest) {
    at::Tensor labels = at::ones({5, 2, 2}, at::kInt);
    fill_box(labels, {2, 0, 0}, {2, 1, 1}, 0);
    labels[0][0][0] = 0;
    labels[4][0][0] = 0;
    const Suppressed result = suppress_small_components(labels, {1}, 200);
    EXPECT_EQ(voxels_of(result.labels, 1), 14) << "7 and 7 outnumber 6";
    EXPECT_EQ(voxels_of(result.labels, 200), 6);
    const at::Tensor full = at::ones({2, 2, 2}, at::kInt);
    EXPECT_TRUE(at::equal(suppress_small_components(full, {1}, 200).labels, full));
}

}  // namespace voldiff

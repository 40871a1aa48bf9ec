#include "io/anatomy/mask_post_process.h"

#include "tests/support/label_volumes.h"

#include <ATen/ops/equal.h>

#include <gtest/gtest.h>

namespace voldiff {

namespace {

// A body of 16^3 voxels with a liver of 8^3 in it, two voxels of air around.
at::Tensor body_with_liver() {
    at::Tensor labels = empty_labels(20, 20, 20);
    fill_box(labels, {2, 2, 2}, {17, 17, 17}, 200);
    fill_box(labels, {5, 5, 5}, {12, 12, 12}, 1);
    return labels;
}

}  // namespace

TEST(CleanGeneratedMask, ACleanMaskStays) {
    const at::Tensor labels = body_with_liver();
    EXPECT_TRUE(at::equal(clean_generated_mask(labels, std::nullopt), labels));
    const at::Tensor bytes = labels.to(at::kByte);
    EXPECT_TRUE(at::equal(clean_generated_mask(bytes, std::nullopt), bytes)) << "of its own type";
}

TEST(CleanGeneratedMask, IslandsGoAndHolesFill) {
    at::Tensor labels = body_with_liver();
    labels[8][8][8] = 200;                            // a hole in the liver
    fill_box(labels, {15, 15, 15}, {15, 15, 15}, 1);  // a second liver
    labels[0][0][0] = 200;                            // outside the body
    EXPECT_TRUE(at::equal(clean_generated_mask(labels, std::nullopt), body_with_liver()));
}

TEST(CleanGeneratedMask, TumorsNotAskedForBecomeTheirOrgan) {
    at::Tensor labels = body_with_liver();
    fill_box(labels, {7, 7, 7}, {8, 8, 8}, 26);
    fill_box(labels, {14, 14, 14}, {15, 15, 15}, 128);
    EXPECT_TRUE(at::equal(clean_generated_mask(labels, std::nullopt), body_with_liver()));
    const at::Tensor asked = clean_generated_mask(labels, 128);
    EXPECT_EQ(voxels_of(asked, 128), 8);
    EXPECT_EQ(voxels_of(asked, 26), 0);
}

TEST(CleanGeneratedMask, ATumorAskedForIsClosedAndInOnePart) {
    at::Tensor labels = body_with_liver();
    fill_box(labels, {14, 3, 3}, {16, 5, 5}, 24);
    labels[15][4][4] = 200;
    labels[15][10][10] = 24;
    const at::Tensor cleaned = clean_generated_mask(labels, 24);
    EXPECT_EQ(voxels_of(cleaned, 24), 27);
    EXPECT_EQ(cleaned[15][10][10].item<std::int64_t>(), 200);
}

TEST(CleanGeneratedMask, VesselsBecomeLiverAndAirwaysReturnEvenOutsideTheBody) {
    at::Tensor labels = body_with_liver();
    labels[0][0][0] = 25;
    labels[0][0][19] = 132;
    fill_box(labels, {6, 6, 6}, {6, 6, 9}, 25);
    at::Tensor expected = body_with_liver();
    expected[0][0][0] = 1;
    expected[0][0][19] = 132;
    EXPECT_TRUE(at::equal(clean_generated_mask(labels, std::nullopt), expected));
}

TEST(CleanGeneratedMask, LooseIntestineBecomesBody) {
    at::Tensor labels = body_with_liver();
    fill_box(labels, {14, 3, 3}, {16, 5, 8}, 19);
    fill_box(labels, {14, 6, 3}, {16, 7, 8}, 62);
    fill_box(labels, {14, 14, 14}, {15, 15, 15}, 62);
    const at::Tensor cleaned = clean_generated_mask(labels, std::nullopt);
    EXPECT_EQ(voxels_of(cleaned, 62), 3 * 2 * 6);
    EXPECT_EQ(voxels_of(cleaned, 19), 3 * 3 * 6);
    EXPECT_EQ(cleaned[14][14][14].item<std::int64_t>(), 200);
}

TEST(CleanGeneratedMask, AnEmptyMaskStaysEmpty) {
    const at::Tensor nothing = empty_labels(5, 5, 5);
    EXPECT_TRUE(at::equal(clean_generated_mask(nothing, 23), nothing));
}

}  // namespace voldiff

#include "io/anatomy/prepare_mask.h"

#include "io/anatomy/resample.h"
#include "io/volume/orientation.h"
#include "tests/config_helpers.h"
#include "tests/support/label_volumes.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

namespace voldiff {

namespace {

Volume row_of(std::int64_t count, double spacing) {
    return {at::arange(count, at::kInt).view({count, 1, 1}), diagonal_affine({spacing, 1, 1})};
}

std::vector<std::int64_t> values_of(const Volume& volume) {
    const at::Tensor flat = volume.voxels.to(at::kLong).contiguous();
    return {flat.data_ptr<std::int64_t>(), flat.data_ptr<std::int64_t>() + flat.numel()};
}

}  // namespace

TEST(ResampleNearest, KeepsTheFirstVoxelInItsPlace) {
    using Values = std::vector<std::int64_t>;
    EXPECT_EQ(values_of(resample_nearest(row_of(7, 1), {2, 1, 1})), (Values{0, 2, 4, 6}));
    EXPECT_EQ(values_of(resample_nearest(row_of(8, 1), {3, 1, 1})), (Values{0, 3, 6})) << "round(7 / 3 + 1)";
    EXPECT_EQ(values_of(resample_nearest(row_of(4, 1.5), {0.5, 1, 1})), (Values{0, 0, 1, 1, 1, 2, 2, 2, 3, 3}));
    const Volume coarse = resample_nearest(row_of(7, 1), {2, 1, 1});
    EXPECT_EQ(coarse.affine, diagonal_affine({2, 1, 1}));
}

TEST(ResampleNearest, AlmostTheSameSpacingIsTheSame) {
    const Volume same = resample_nearest(row_of(5, 1), {1.0005, 1, 1});
    EXPECT_EQ(same.affine, diagonal_affine({1, 1, 1}));
    EXPECT_EQ(values_of(same).size(), 5U);
}

TEST(ResampleNearest, RefusesWhatIsNoSpacing) {
    message_of(ErrorCode::config, [] { resample_nearest(row_of(5, 1), {0, 1, 1}); });
    message_of(ErrorCode::config, [] { resample_nearest(row_of(5, 1), {1, -1, 1}); });
    message_of(ErrorCode::config, [] {
        resample_nearest({empty_labels(0, 1, 1), diagonal_affine({1, 1, 1})}, {2, 1, 1});
    });
}

TEST(PadOrCrop, IsCentredAndMovesTheOrigin) {
    using Values = std::vector<std::int64_t>;
    const Volume padded = pad_or_crop(row_of(2, 1.5), {5, 1, 1});
    EXPECT_EQ(values_of(padded), (Values{0, 0, 1, 0, 0})) << "one before, two after";
    EXPECT_EQ(padded.affine[0][3], -1.5);
    const Volume cropped = pad_or_crop(row_of(5, 1.5), {2, 1, 1});
    EXPECT_EQ(values_of(cropped), (Values{1, 2}));
    EXPECT_EQ(cropped.affine[0][3], 1.5);
    EXPECT_EQ(values_of(pad_or_crop(row_of(4, 1), {3, 1, 1})), (Values{1, 2, 3}));
    message_of(ErrorCode::config, [] { pad_or_crop(row_of(2, 1), {0, 1, 1}); });
}

TEST(PrepareMask, AMaskThatFitsStaysAsItIs) {
    at::Tensor labels = empty_labels(4, 5, 6, at::kByte);
    fill_box(labels, {1, 1, 1}, {2, 2, 2}, 200);
    const PreparedMask prepared = prepare_mask({labels, diagonal_affine({1.5, 1.5, 2})}, {4, 5, 6}, {1.5, 1.5, 2});
    EXPECT_TRUE(at::equal(prepared.mask.voxels, labels));
    ASSERT_EQ(prepared.changes.size(), 1U);
    EXPECT_EQ(prepared.changes[0].lost(), 0);
    const PreparedMask again = prepare_mask(prepared.mask, {4, 5, 6}, {1.5, 1.5, 2});
    EXPECT_TRUE(at::equal(again.mask.voxels, labels));
    EXPECT_EQ(again.mask.affine, prepared.mask.affine);
}

TEST(PrepareMask, TellsWhatWasLost) {
    at::Tensor labels = empty_labels(8, 8, 8);
    fill_box(labels, {2, 2, 2}, {5, 5, 5}, 1);   // 64 mm^3
    fill_box(labels, {1, 1, 1}, {1, 1, 1}, 23);  // between the voxels that are taken
    fill_box(labels, {0, 0, 0}, {0, 0, 0}, 3);   // cropped away
    const PreparedMask prepared = prepare_mask({labels, diagonal_affine({1, 1, 1})}, {2, 2, 2}, {2, 2, 2});
    EXPECT_EQ(vanished_labels(prepared), (std::vector<std::int64_t>{3, 23}));
    ASSERT_EQ(prepared.changes.size(), 3U);
    const LabelChange& liver = prepared.changes[0];
    EXPECT_EQ(liver.label, 1);
    EXPECT_EQ(liver.voxels_before, 64);
    EXPECT_EQ(liver.voxels_after, 8);
    EXPECT_EQ(liver.volume_before, 64);
    EXPECT_EQ(liver.volume_after, 64);
    EXPECT_EQ(prepared.changes[2].lost(), 1);
}

TEST(PrepareMask, TurnsToRas) {
    at::Tensor labels = empty_labels(3, 4, 5);
    labels[0][3][1] = 7;
    Affine lps = diagonal_affine({-1, -2, 3});
    lps[0][3] = 2;
    lps[1][3] = 6;
    const PreparedMask prepared = prepare_mask({labels, lps}, {3, 4, 5}, {1, 2, 3});
    EXPECT_EQ(orientation_code(prepared.mask.affine), "RAS");
    EXPECT_EQ(prepared.mask.affine, diagonal_affine({1, 2, 3}));
    EXPECT_EQ(prepared.mask.voxels[2][0][1].item<std::int64_t>(), 7);
}

TEST(PrepareMask, RefusesAnImage) {
    const Volume image{at::tensor({0.5F}).view({1, 1, 1}), diagonal_affine({1, 1, 1})};
    expect_contains(message_of(ErrorCode::config,
                               [&] {
                                   prepare_mask(image, {1, 1, 1}, {1, 1, 1});
                               }),
                    "1 of 1 voxels hold no whole number");
}

}  // namespace voldiff

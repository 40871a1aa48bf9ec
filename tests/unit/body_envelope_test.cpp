#include "io/anatomy/body_envelope.h"

#include "tests/config_helpers.h"
#include "tests/support/label_volumes.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>

namespace voldiff {

namespace {

// Air, and soft tissue in a box of 12^3 voxels.
at::Tensor ct_of_a_box() {
    at::Tensor ct = at::full({24, 24, 24}, -1000.0F);
    fill_box(ct, {6, 6, 6}, {17, 17, 17}, 40);
    return ct;
}

}  // namespace

TEST(BodyEnvelope, GivesTheBodyWhatHasNoLabel) {
    at::Tensor labels = empty_labels(24, 24, 24);
    fill_box(labels, {8, 8, 8}, {9, 9, 9}, 1);
    const at::Tensor enveloped = add_body_envelope(labels, ct_of_a_box());
    EXPECT_EQ(voxels_of(enveloped, 1), 8);
    EXPECT_EQ(voxels_of(enveloped, 200), 12 * 12 * 12 - 8);
    EXPECT_EQ(voxels_of(labels, 200), 0) << "the argument stays";
    EXPECT_TRUE(at::equal(add_body_envelope(enveloped, ct_of_a_box()), enveloped)) << "twice is once";
}

TEST(BodyEnvelope, GasInsideIsBodyAndTheBedIsNot) {
    at::Tensor ct = ct_of_a_box();
    fill_box(ct, {10, 10, 10}, {11, 11, 11}, -1000);  // gas
    fill_box(ct, {0, 0, 0}, {23, 1, 23}, 100);        // the bed
    const at::Tensor enveloped = add_body_envelope(empty_labels(24, 24, 24), ct);
    EXPECT_EQ(enveloped[10][10][10].item<std::int64_t>(), 200);
    EXPECT_EQ(voxels_of(enveloped, 200), 12 * 12 * 12);
}

TEST(BodyEnvelope, ALabelOutsideTheBodyStays) {
    at::Tensor labels = empty_labels(24, 24, 24);
    labels[0][0][0] = 5;
    EXPECT_EQ(voxels_of(add_body_envelope(labels, ct_of_a_box()), 5), 1);
}

TEST(BodyEnvelope, LargeAirWithinIsTakenForATableUnlessLungsAreNotLabelled) {
    at::Tensor ct = ct_of_a_box();
    fill_box(ct, {8, 8, 8}, {13, 13, 13}, -900);  // 216 of 1728 voxels
    const at::Tensor none = empty_labels(24, 24, 24);
    EXPECT_EQ(voxels_of(add_body_envelope(none, ct), 200), 1728 - 216);
    BodyEnvelopeOptions without_lungs;
    without_lungs.remove_table = false;
    EXPECT_EQ(voxels_of(add_body_envelope(none, ct, without_lungs), 200), 1728);
    at::Tensor lungs = empty_labels(24, 24, 24);
    fill_box(lungs, {8, 8, 8}, {13, 13, 13}, 28);
    EXPECT_EQ(voxels_of(add_body_envelope(lungs, ct), 28), 216);
}

TEST(BodyEnvelope, RefusesACtOnAnotherGrid) {
    message_of(ErrorCode::config, [] { add_body_envelope(empty_labels(2, 2, 2), at::full({2, 2, 3}, 0.0F)); });
}

}  // namespace voldiff

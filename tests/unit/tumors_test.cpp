#include "core/anatomy/tumors.h"

#include "tests/config_helpers.h"
#include "tests/support/label_volumes.h"

#include <ATen/ops/equal.h>

namespace voldiff {

TEST(RemoveTumors, BecomeTheirOrgan) {
    at::Tensor labels = empty_labels(2, 3, 2);
    const std::vector<std::pair<std::int64_t, std::int64_t>> pairs = {{26, 1},   {24, 4},    {27, 62},   {116, 14},
                                                                      {117, 5},  {401, 22},  {402, 22},  {403, 22},
                                                                      {176, 22}, {128, 128}, {200, 200}, {23, 28}};
    for (std::size_t i = 0; i < pairs.size(); ++i) labels.view({12})[static_cast<std::int64_t>(i)] = pairs[i].first;
    const at::Tensor healthy = remove_tumors(labels).view({12});
    for (std::size_t i = 0; i < pairs.size(); ++i)
        EXPECT_EQ(healthy[static_cast<std::int64_t>(i)].item<std::int64_t>(), pairs[i].second) << pairs[i].first;
}

TEST(RemoveTumors, TheLobesAroundALungTumorVote) {
    at::Tensor labels = empty_labels(9, 9, 9, at::kShort);
    fill_box(labels, {4, 4, 4}, {4, 4, 4}, 23);
    fill_box(labels, {3, 3, 3}, {3, 3, 4}, 30);  // two corners touch it
    fill_box(labels, {5, 5, 5}, {5, 5, 5}, 29);
    fill_box(labels, {2, 2, 2}, {2, 6, 6}, 28);  // more, but two voxels away
    EXPECT_EQ(remove_tumors(labels)[4][4][4].item<std::int64_t>(), 30);
    fill_box(labels, {5, 5, 3}, {5, 5, 3}, 29);
    EXPECT_EQ(remove_tumors(labels)[4][4][4].item<std::int64_t>(), 29) << "the smallest of equals";
    fill_box(labels, {0, 2, 2}, {0, 2, 4}, 32);  // on the border of the volume
    EXPECT_EQ(remove_tumors(labels)[4][4][4].item<std::int64_t>(), 32) << "the reference's quirk";
}

TEST(RemoveTumors, WithoutALobeAroundTheCommonestOfTheVolumeCounts) {
    at::Tensor labels = empty_labels(9, 9, 9);
    fill_box(labels, {4, 4, 4}, {4, 4, 4}, 23);
    fill_box(labels, {1, 1, 1}, {1, 1, 3}, 31);
    fill_box(labels, {2, 1, 1}, {2, 1, 2}, 28);
    EXPECT_EQ(remove_tumors(labels)[4][4][4].item<std::int64_t>(), 31);
}

TEST(RemoveTumors, PseudoLabelsFillLesions) {
    at::Tensor labels = empty_labels(3, 3, 3);
    at::Tensor pseudo = empty_labels(3, 3, 3);
    fill_box(labels, {0, 0, 0}, {0, 0, 0}, 128);
    fill_box(labels, {1, 0, 0}, {1, 0, 0}, 23);
    fill_box(labels, {2, 0, 0}, {2, 0, 0}, 26);
    pseudo.fill_(40);
    const at::Tensor healthy = remove_tumors(labels, pseudo);
    EXPECT_EQ(voxels_of(healthy, 40), 2);
    EXPECT_EQ(healthy[2][0][0].item<std::int64_t>(), 1) << "an organ's tumour becomes the organ all the same";
    message_of(ErrorCode::config, [&] { remove_tumors(labels, empty_labels(3, 3, 2)); });
}

TEST(RemoveTumors, TwiceIsOnce) {
    at::Tensor labels = empty_labels(6, 6, 6);
    fill_box(labels, {1, 1, 1}, {4, 4, 4}, 29);
    fill_box(labels, {2, 2, 2}, {3, 3, 3}, 23);
    fill_box(labels, {5, 5, 0}, {5, 5, 5}, 26);
    const at::Tensor once = remove_tumors(labels);
    EXPECT_TRUE(at::equal(remove_tumors(once), once));
    EXPECT_EQ(voxels_of(once, 23) + voxels_of(once, 26), 0);
}

}  // namespace voldiff

// What is asked of the networks: body regions, sizes of anatomy, limits of CT and MR.
#include "core/anatomy/body_region.h"
#include "core/anatomy/mask_conditions.h"
#include "core/anatomy/request_checks.h"
#include "tests/config_helpers.h"
#include "tests/support/label_volumes.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

namespace voldiff {

namespace {

AnatomyRequest good_ct_request() {
    return {{"chest"}, {"liver"}, {256, 256, 128}, {1.5, 1.5, 2}, std::vector<AnatomySize>{}};
}

const LabelTable& two_labels() {
    static const LabelTable table({{"liver", 1}, {"spleen", 3}});
    return table;
}

}  // namespace

TEST(BodyRegions, AreTheFirstAndTheLastThatTheMaskShows) {
    const BodyRegions both = body_regions_of(at::tensor({0, 14, 93, 200, 13}, at::kInt));
    EXPECT_EQ(both.top, (RegionIndex{0, 0, 1, 0}));
    EXPECT_EQ(both.bottom, (RegionIndex{0, 0, 0, 1}));
    const BodyRegions one = body_regions_of(at::tensor({32}, at::kByte));
    EXPECT_EQ(one.top, (RegionIndex{0, 1, 0, 0}));
    EXPECT_EQ(one.bottom, one.top);
    expect_contains(message_of(ErrorCode::config,
                               [] {
                                   body_regions_of(at::tensor({0, 13, 200}, at::kInt));
                               }),
                    "the mask shows no body region");
}

TEST(BodyRegions, HaveSeveralNames) {
    EXPECT_EQ(body_region_index("Head"), 0);
    EXPECT_EQ(body_region_index("thorax"), body_region_index("chest"));
    EXPECT_EQ(body_region_index("pelvis/lower"), 3);
    expect_contains(message_of(ErrorCode::config, [] { body_region_index("abdomn"); }), "did you mean 'abdomen'?");
}

TEST(AnatomySizes, TakeTheNearestEntryOfTheDatabase) {
    SizeCondition small{};
    SizeCondition large{};
    small.fill(0.25);
    large.fill(0.75);
    const SizeCondition chosen = anatomy_size_condition({{"liver", 0.625}, {"lung tumor", -1}}, {small, large});
    EXPECT_EQ(chosen[1], 0.625);
    EXPECT_EQ(chosen[5], -1);
    EXPECT_EQ(chosen[0], 0.25) << "0.375 + 1.25 is less than 0.125 + 1.75";
    EXPECT_EQ(anatomy_size_condition({{"liver", 0.5}}, {large, small})[0], 0.75) << "the first of equals";
    expect_contains(message_of(ErrorCode::config,
                               [&] {
                                   anatomy_size_condition({{"livr", 1}}, {small});
                               }),
                    "did you mean 'liver'?");
    message_of(ErrorCode::config, [] { anatomy_size_condition({}, {}); });
}

TEST(AnatomySizes, NameTheLastTumorThatIsThere) {
    SizeCondition condition{0.5, 0.5, 0.5, 0.5, 0.5, -1, -1, -1, -1, -1};
    EXPECT_EQ(target_tumor(condition), std::nullopt);
    condition[5] = 0;
    EXPECT_EQ(target_tumor(condition), 23);
    condition[7] = 1;
    EXPECT_EQ(target_tumor(condition), 26);
    condition[9] = 0.1;
    EXPECT_EQ(target_tumor(condition), 128);
}

TEST(MaskConditions, RoundWhereTheReferenceDoes) {
    const at::Tensor from_mask = hundredfold_from_mask({1.234, 2.0});
    EXPECT_TRUE(at::equal(from_mask, at::tensor({123.4375F, 200.0F}).to(at::kHalf).unsqueeze(0)));
    EXPECT_TRUE(at::equal(hundredfold_from_database({1.234}), at::tensor({1.234F}) * 100));
}

TEST(RequestChecks, TellEverythingAtOnce) {
    check_ct_request(good_ct_request(), two_labels());
    AnatomyRequest bad = good_ct_request();
    bad.output_size = {128, 256, 128};
    bad.spacing = {1.5, 1.5, 6};
    bad.body_region = {"neck"};
    bad.anatomy_list = {"livr"};
    const std::string message = message_of(ErrorCode::config, [&] { check_ct_request(bad, two_labels()); });
    expect_contains(message, "'output_size' is [128, 256, 128], expected");
    expect_contains(message, "'spacing' is [1.5, 1.5, 6] mm");
    expect_contains(message, "less than 256 mm");
    expect_contains(message, "'neck'");
    expect_contains(message, "did you mean 'liver'?");
}

TEST(RequestChecks, TellWhichSizesAreWrong) {
    AnatomyRequest bad = good_ct_request();
    bad.controllable_anatomy_size =
        std::vector<AnatomySize>{{"liver", 1.5}, {"liver", 0.5}, {"brain", 0.5}, {"lung tumor", 0}, {"bone lesion", 0}};
    const std::string message = message_of(ErrorCode::config, [&] { check_ct_request(bad, two_labels()); });
    expect_contains(message, "'liver' is 1.5");
    expect_contains(message, "'liver' stands there twice");
    expect_contains(message, "'brain' has no size to choose");
    expect_contains(message, "expected one: bone lesion, lung tumor");
}

TEST(RequestChecks, MrHasLimitsOfItsOwn) {
    AnatomyRequest request{{}, {"liver"}, {128, 256, 256}, {0.4, 1, 5}, {}};
    check_mr_request(request, two_labels());
    request.output_size = {128, 128, 256};
    expect_contains(message_of(ErrorCode::config, [&] { check_mr_request(request, two_labels()); }),
                    "'output_size' is [128, 128, 256]");
}

}  // namespace voldiff

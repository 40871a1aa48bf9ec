#include "core/text.h"

#include <gtest/gtest.h>

namespace voldiff {

TEST(EditDistance, CountsEachKindOfEditOnce) {
    EXPECT_EQ(edit_distance("steps", "steps"), 0U);
    EXPECT_EQ(edit_distance("stpes", "steps"), 1U) << "swapped neighbours";
    EXPECT_EQ(edit_distance("step", "steps"), 1U) << "inserted";
    EXPECT_EQ(edit_distance("stteps", "steps"), 1U) << "deleted";
    EXPECT_EQ(edit_distance("stops", "steps"), 1U) << "changed";
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("abc", ""), 3U);
}

TEST(Nearest, FindsTheTypo) {
    const std::vector<std::string> names = {"--seed", "--steps", "--size"};
    EXPECT_EQ(nearest("--stpes", names), "--steps");
    EXPECT_EQ(nearest("--STEPS", names), "--steps");
    EXPECT_EQ(nearest("--sed", names), "--seed");
}

TEST(Nearest, IsEmptyWhereNothingIsNear) {
    EXPECT_EQ(nearest("banana", {"generate", "inspect"}), "");
    EXPECT_EQ(nearest("ab", {"xy"}), "") << "one edit is allowed in a short word, two are not";
    EXPECT_EQ(nearest("x", {}), "");
}

TEST(Nearest, TakesTheFirstOfEqualCandidates) { EXPECT_EQ(nearest("bat", {"cat", "hat"}), "cat"); }

TEST(Join, PutsTheSeparatorBetween) {
    EXPECT_EQ(join({}), "");
    EXPECT_EQ(join({"a"}), "a");
    EXPECT_EQ(join({"a", "b", "c"}), "a, b, c");
    EXPECT_EQ(join({"a", "b"}, " | "), "a | b");
}

}  // namespace voldiff

#include "io/config/references.h"

#include "io/config/print.h"
#include "io/config/yaml.h"
#include "tests/config_helpers.h"

namespace voldiff {

namespace {

// On one line, after the references were replaced.
std::string resolved(const std::string& text) {
    Node root = parse_yaml(text, "x.yaml");
    Problems problems;
    resolve_references(root, problems);
    problems.throw_if_any();
    return to_flow_yaml(root);
}

std::string problem_of(const std::string& text) {
    return message_of(ErrorCode::config, [&] { resolved(text); });
}

}  // namespace

TEST(References, ReplacesBothForms) {
    EXPECT_EQ(resolved("{a: 4, b: '@a', c: '$@a', d: ['@a']}"), "{a: 4, b: 4, c: 4, d: [4]}");
}

TEST(References, FollowsChainsAndCopiesMaps) {
    EXPECT_EQ(resolved("{a: '@b', b: '@c', c: {x: '@n'}, \"n\": 5}"), "{a: {x: 5}, b: {x: 5}, c: {x: 5}, \"n\": 5}");
}

TEST(References, ReadsNestedIdsOfBothSeparators) {
    EXPECT_EQ(resolved("{a: {b: [7, {c: 8}]}, x: '@a::b::1::c', z: '@a#b#0'}"), "{a: {b: [7, {c: 8}]}, x: 8, z: 7}");
}

TEST(References, LeavesTextThatOnlyContainsAnAt) {
    EXPECT_EQ(resolved("{a: 'me@b', b: '@b c', c: '@'}"), "{a: \"me@b\", b: \"@b c\", c: \"@\"}");
}

TEST(References, TellsWhichTopLevelKeysAreNamed) {
    Node root = parse_yaml("{a: 1, b: {c: 2}, d: ['@a', '@b::c']}", "x.yaml");
    Problems problems;
    EXPECT_EQ(resolve_references(root, problems), (std::set<std::string>{"a", "b"}));
}

TEST(References, ResolvesOneKeyAndLeavesTheOthers) {
    Node root = parse_yaml("{a: 1, b: '@a', c: '$import os'}", "x.yaml");
    Problems problems;
    resolve_references(root, "b", problems);
    EXPECT_EQ(problems.size(), 0U);
    EXPECT_EQ(root.find("b")->text, "1");
    EXPECT_EQ(root.find("c")->text, "$import os");
}

TEST(References, AValueKeepsThePlaceWhereItStands) {
    Node root = parse_yaml("n: 4\nb: '@n'\n", "x.yaml");
    Problems problems;
    resolve_references(root, problems);
    EXPECT_EQ(root.find("b")->mark.text(), "x.yaml:1:4");
}

TEST(References, NamesWhatIsUnknownWithTheNearestKey) {
    EXPECT_EQ(problem_of("latent_channels: 4\nb: '@latent_chanels'\n"),
              "x.yaml:2:4: '@latent_chanels' refers to nothing: there is no 'latent_chanels'; did you mean "
              "'latent_channels'?");
    expect_contains(problem_of("{a: {b: [1]}, c: '@a::b::1'}"),
                    "x.yaml:1:18: '@a::b::1' refers to nothing: there is no '1'");
}

TEST(References, NamesTheMembersOfACircleOnce) {
    EXPECT_EQ(problem_of("a: '@b'\nb: '@c'\nc: '@a'\n"),
              "x.yaml:3:4: references in a circle: 'a' -> 'b' -> 'c' -> 'a'");
    expect_contains(problem_of("a: {b: '@a'}"), "x.yaml:1:8: references in a circle: 'a' -> 'a'");
}

TEST(References, NamesAnExpression) {
    EXPECT_EQ(problem_of("a: $import os\nb: 1\n"),
              "x.yaml:1:4: the expression '$import os' is not supported; only references like '@key' are, so write its "
              "value");
    expect_contains(problem_of("{b: 1, a: '$@b * 2'}"), "x.yaml:1:11: the expression '$@b * 2' is not supported");
}

}  // namespace voldiff

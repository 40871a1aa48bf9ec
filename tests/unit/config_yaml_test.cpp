#include "io/config/yaml.h"

#include "tests/config_helpers.h"

namespace voldiff {

TEST(Yaml, KeepsOrderKindsQuotesAndPlaces) {
    const Node root = parse_yaml("b: 1\na:\n  - x\n  - \"2\"\nc: {d: ~}\n", "x.yaml");
    ASSERT_EQ(root.kind, NodeKind::map);
    ASSERT_EQ(root.entries.size(), 3U);
    EXPECT_EQ(root.entries[0].key, "b");
    EXPECT_EQ(root.entries[1].key, "a");
    EXPECT_EQ(root.entries[1].mark.text(), "x.yaml:2:1");
    const Node& list = root.entries[1].value;
    ASSERT_EQ(list.items.size(), 2U);
    EXPECT_FALSE(list.items[0].quoted);
    EXPECT_TRUE(list.items[1].quoted);
    EXPECT_EQ(list.items[1].mark.text(), "x.yaml:4:5");
    EXPECT_EQ(root.find("c")->find("d")->kind, NodeKind::null);
}

TEST(Yaml, ReadsJsonWithTabsAndEscapes) {
    const Node root = parse_yaml("{\n\t\"a\":1e-06,\n\t\"b\": [true, \"x\\/\\u00e9\"]\n}", "x.json");
    EXPECT_EQ(root.find("a")->text, "1e-06");
    EXPECT_FALSE(root.find("a")->quoted);
    EXPECT_EQ(root.find("b")->items[1].text, "x/\xC3\xA9");
}

TEST(Yaml, ExpandsAnchors) {
    const Node root = parse_yaml("a: &x [1, 2]\nb: *x\n", "x.yaml");
    EXPECT_EQ(root.find("b")->items[1].text, "2");
}

TEST(Yaml, ReadsAnEmptyText) {
    const Node root = parse_yaml("# nothing\n", "x.yaml");
    EXPECT_EQ(root.kind, NodeKind::null);
    EXPECT_EQ(root.mark.text(), "x.yaml:1:1");
}

TEST(Yaml, SkipsAByteOrderMarkAndReadsWindowsLines) {
    const Node root = parse_yaml(
        "\xEF\xBB\xBF"
        "a: 1\r\nb: 2\r\n",
        "x.yaml");
    EXPECT_EQ(root.find("a")->text, "1");
    EXPECT_EQ(root.find("b")->text, "2");
}

TEST(Yaml, MarksOfOptionValuesHaveNoLine) {
    const Node value = parse_option_value("[1, {a: b}]", "--set");
    EXPECT_EQ(value.items[1].find("a")->mark.text(), "--set");
    EXPECT_FALSE(value.items[1].mark.in_file());
}

TEST(Node, MergesMapsAndReplacesTheRest) {
    const Node base = parse_yaml("a: {x: 1, y: 2}\nl: [1, 2]\ns: 1\n", "base.yaml");
    const Node merged = merge(base, parse_yaml("a: {y: 3, z: 4}\nl: [9]\ns: {t: 1}\n", "over.yaml"));
    EXPECT_EQ(merged.find("a")->find("x")->mark.text(), "base.yaml:1:8");
    EXPECT_EQ(merged.find("a")->find("y")->text, "3");
    EXPECT_EQ(merged.find("a")->find("z")->mark.text(), "over.yaml:1:14");
    EXPECT_EQ(merged.find("l")->items.size(), 1U);
    EXPECT_EQ(merged.find("s")->find("t")->text, "1");
}

TEST(Node, AWholeMapCoversAllOfTheBase) {
    Node over = parse_yaml("a: {y: 3}", "over.yaml");
    over.find("a")->whole = true;
    const Node merged = merge(parse_yaml("a: {x: 1}", "base.yaml"), over);
    EXPECT_EQ(merged.find("a")->find("x"), nullptr);
}

TEST(Node, SetsAKeyPathAndMakesTheMaps) {
    Node root = parse_yaml("a: {b: 1, c: 2}", "x.yaml");
    set_path(root, "a.b", make_scalar("7", mark_of("--set")));
    set_path(root, "n.m", make_scalar("8", mark_of("--set")));
    EXPECT_EQ(root.find("a")->find("b")->text, "7");
    EXPECT_EQ(root.find("a")->find("c")->text, "2");
    EXPECT_EQ(root.find("n")->find("m")->mark.text(), "--set");
}

TEST(Node, RefusesKeyPathsThatAreNone) {
    Node root = make_map();
    for (const char* path : {"", ".", "a.", ".a", "a..b", "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"}) {
        const auto set = [&] { set_path(root, path, make_scalar("1", mark_of("--set"))); };
        expect_contains(message_of(ErrorCode::config, set), "is no key path, expected one like image.size");
    }
}

}  // namespace voldiff

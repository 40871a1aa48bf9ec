#include "io/config/reader.h"

#include "io/config/scalar.h"
#include "io/config/yaml.h"
#include "tests/config_helpers.h"

namespace voldiff {

namespace {

struct Inner : OptionGroup {
    std::int64_t steps = 30;
    void visit_options(OptionVisitor& v) override { v.visit(Option("steps", "number of steps").in(1, 1000), steps); }
};

// One option of every type.
struct Everything : OptionGroup {
    bool flag = false;
    std::int64_t integer = 1;
    double number = 0.5;
    std::string text = "a";
    std::optional<std::int64_t> maybe_integer;
    std::optional<std::string> maybe_text = "t";
    std::vector<bool> flags;
    std::vector<std::int64_t> integers;
    std::vector<double> numbers;
    std::vector<std::string> texts;
    std::array<std::int64_t, 3> size{1, 2, 3};
    std::array<double, 3> spacing{1, 1, 1};
    PerLevel per_level{2};
    RawOptions raw;
    Inner inner;

    void visit_options(OptionVisitor& v) override {
        v.visit(Option("flag", "a flag"), flag);
        v.visit(Option("integer", "an integer").at_least(-5).also_called("whole"), integer);
        v.visit(Option("number", "a number").in(0, 1), number);
        v.visit(Option("text", "a text").one_of({"a", "auto", "whole"}), text);
        v.visit(Option("maybe_integer", "an integer or nothing"), maybe_integer);
        v.visit(Option("maybe_text", "a text or nothing"), maybe_text);
        v.visit(Option("flags", "flags"), flags);
        v.visit(Option("integers", "integers").in(0, 9), integers);
        v.visit(Option("numbers", "numbers"), numbers);
        v.visit(Option("texts", "texts").one_of({"head", "chest"}), texts);
        v.visit(Option("size", "size").in(1, 100).measured_in("voxels, x y z"), size);
        v.visit(Option("spacing", "spacing"), spacing);
        v.visit(Option("per_level", "one, or one a level"), per_level);
        v.visit(Option("raw", "anything"), raw);
        v.visit(Option("inner", "a group"), inner);
    }
};

struct Needy : OptionGroup {
    std::int64_t in_channels = 1;
    void visit_options(OptionVisitor& v) override {
        v.visit(Option("in_channels", "channels of the image").needed(), in_channels);
    }
};

void read(OptionGroup& group, const std::string& text, Origins* origins = nullptr) {
    Problems problems;
    read_options(group, parse_yaml(text, "x.yaml"), "", {&problems, origins, {"sampling.seed"}});
    problems.throw_if_any();
}

std::string problem_of(const std::string& text) {
    Everything group;
    return message_of(ErrorCode::config, [&] { read(group, text); });
}

}  // namespace

TEST(OptionReader, ReadsEveryType) {
    Everything e;
    read(e, R"({flag: true, integer: 3.0, number: 1e-3, text: auto, maybe_integer: 7, maybe_text: null,
                flags: [true, false], integers: [1, 2], numbers: [1, .5], texts: [head], size: [4, 5, 6],
                spacing: [1.5, 2, 3], per_level: [1, 2], raw: {x: [1]}, inner: {steps: 50}})");
    EXPECT_TRUE(e.flag);
    EXPECT_EQ(e.integer, 3);
    EXPECT_EQ(e.number, 1e-3);
    EXPECT_EQ(e.text, "auto");
    EXPECT_EQ(e.maybe_integer, 7);
    EXPECT_EQ(e.maybe_text, std::nullopt);
    EXPECT_EQ(e.flags, (std::vector<bool>{true, false}));
    EXPECT_EQ(e.integers, (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(e.numbers, (std::vector<double>{1, 0.5}));
    EXPECT_EQ(e.texts, (std::vector<std::string>{"head"}));
    EXPECT_EQ(e.size, (std::array<std::int64_t, 3>{4, 5, 6}));
    EXPECT_EQ(e.spacing, (std::array<double, 3>{1.5, 2, 3}));
    EXPECT_FALSE(e.per_level.same_for_all);
    EXPECT_EQ(e.per_level.values, (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(std::any_cast<Node>(e.raw.tree).find("x")->items[0].text, "1");
    EXPECT_EQ(e.inner.steps, 50);
}

TEST(OptionReader, KeepsDefaultsAndEmptyGroups) {
    Everything e;
    read(e, "inner:\nflag: true\n");
    EXPECT_EQ(e.inner.steps, 30);
    EXPECT_EQ(e.integer, 1);
    EXPECT_EQ(e.maybe_text, "t");
}

TEST(OptionReader, TakesTheOtherNameOfAKey) {
    Everything e;
    Origins origins;
    read(e, "whole: 4", &origins);
    EXPECT_EQ(e.integer, 4);
    EXPECT_EQ(origins.at("integer").text(), "x.yaml:1:8");
}

TEST(OptionReader, TellsOriginsByKeyPath) {
    Everything e;
    Origins origins;
    read(e, "inner:\n  steps: 50\n", &origins);
    EXPECT_EQ(origins.at("inner.steps").text(), "x.yaml:2:10");
    EXPECT_EQ(origins.count("integer"), 0U);
}

TEST(OptionReader, RefusesBothNamesOfAKey) {
    EXPECT_EQ(problem_of("integer: 1\nwhole: 2\n"),
              "x.yaml:2:8: 'whole' and 'integer' are two names of one option; keep one");
}

TEST(OptionReader, TheCommandLineMayUseTheOtherName) {
    const Mark line = mark_of("--set");
    for (const auto& [file, name] : {std::pair("integer: 1", "whole"), std::pair("whole: 1", "integer")}) {
        Node map = parse_yaml(file, "x.yaml");
        set_path(map, name, make_scalar("2", line));
        Everything e;
        Problems problems;
        read_options(e, map, "", {&problems, nullptr, {}});
        problems.throw_if_any();
        EXPECT_EQ(e.integer, 2) << file;
    }
}

TEST(OptionReader, ProposesTheNearestKey) {
    EXPECT_EQ(problem_of("inner:\n  step: 3\n"), "x.yaml:2:3: unknown key 'inner.step'; did you mean 'inner.steps'?");
    EXPECT_EQ(problem_of("nothing_like_it: 3"), "x.yaml:1:1: unknown key 'nothing_like_it'");
}

TEST(OptionReader, ProposesAKeyOfAnotherPlace) {
    EXPECT_EQ(problem_of("seed: 3"), "x.yaml:1:1: unknown key 'seed'; did you mean 'sampling.seed'?");
}

TEST(OptionReader, TellsWhatIsMissing) {
    Needy group;
    EXPECT_EQ(message_of(ErrorCode::config, [&] { read(group, "{}"); }),
              "x.yaml:1:1: 'in_channels' is missing: channels of the image");
}

TEST(OptionReader, TellsRanges) {
    EXPECT_EQ(problem_of("inner: {steps: 0}"), "x.yaml:1:16: 'inner.steps' is 0, expected an integer from 1 to 1000");
    EXPECT_EQ(problem_of("integer: -6"), "x.yaml:1:10: 'integer' is -6, expected an integer of at least -5");
    EXPECT_EQ(problem_of("number: 1.5"), "x.yaml:1:9: 'number' is 1.5, expected a number from 0 to 1");
    EXPECT_EQ(problem_of("integers: [1, 12]"), "x.yaml:1:15: 'integers[1]' is 12, expected an integer from 0 to 9");
    EXPECT_EQ(problem_of("size: [1, 2, 101]"),
              "x.yaml:1:14: 'size[2]' is 101, expected an integer from 1 to 100 (voxels, x y z)");
}

TEST(OptionReader, TellsChoices) {
    EXPECT_EQ(problem_of("text: hole"),
              "x.yaml:1:7: 'text' is 'hole', expected one of a, auto, whole; did you mean 'whole'?");
    EXPECT_EQ(problem_of("texts: [head, foot]"), "x.yaml:1:15: 'texts[1]' is 'foot', expected one of head, chest");
}

TEST(OptionReader, TellsLengths) {
    EXPECT_EQ(problem_of("size: [64, 64]"), "x.yaml:1:7: 'size' has 2 entries, expected 3 (voxels, x y z)");
    EXPECT_EQ(problem_of("spacing: [1]"), "x.yaml:1:10: 'spacing' has 1 entry, expected 3");
}

TEST(OptionReader, RefusesNumbersThatAreNotWhole) {
    EXPECT_EQ(problem_of("integer: 12abc"), "x.yaml:1:10: 'integer' is '12abc', expected an integer of at least -5");
    EXPECT_EQ(problem_of("integer: 1.5"), "x.yaml:1:10: 'integer' is 1.5, expected an integer of at least -5");
    EXPECT_EQ(problem_of("integer: '3'"),
              "x.yaml:1:10: 'integer' is '3', expected an integer of at least -5 without quotes");
    EXPECT_EQ(problem_of("flag: yes"), "x.yaml:1:7: 'flag' is 'yes', expected true or false");
}

TEST(OptionReader, TellsAllProblemsInTheOrderOfLines) {
    EXPECT_EQ(problem_of("inner: {steps: x}\nsize: 3\nbad_key: 1\nflag: 2\n"),
              "x.yaml:1:16: 'inner.steps' is 'x', expected an integer from 1 to 1000\n"
              "x.yaml:2:7: 'size' is 3, expected a list of 3 integers (voxels, x y z)\n"
              "x.yaml:3:1: unknown key 'bad_key'\n"
              "x.yaml:4:7: 'flag' is 2, expected true or false");
}

TEST(Problems, ShowsTwentyAndCountsTheRest) {
    Problems problems;
    for (int i = 25; i > 0; --i) problems.add(mark_of("x.yaml", i, 1), "wrong");
    problems.add(mark_of("x.yaml", 3, 1), "wrong");  // told once
    const std::string text = message_of(ErrorCode::config, [&] { problems.throw_if_any(); });
    EXPECT_EQ(text.find("x.yaml:1:1: wrong\nx.yaml:2:1: wrong\n"), 0U);
    expect_contains(text, "\nx.yaml:20:1: wrong\n... and 5 more");
    EXPECT_EQ(text.find("x.yaml:21"), std::string::npos);
}

TEST(Scalar, ReadsWholeNumbersOnly) {
    EXPECT_EQ(parse_integer("9223372036854775807"), 9223372036854775807);
    EXPECT_EQ(parse_integer("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(parse_integer("+5"), 5);
    EXPECT_EQ(parse_integer("3.0"), 3);
    EXPECT_EQ(parse_integer("1e3"), 1000);
    for (const char* text :
         {"", " 1", "1 ", "0x10", "1_000", "9223372036854775808", "1e30", "1.5", "--1", "+-1", "+"}) {
        EXPECT_EQ(parse_integer(text), std::nullopt) << text;
    }
    for (const char* text : {"", "nan", ".nan", "inf", "-.inf", "1e999", "1,5", "1.5f", "+", "e5"}) {
        EXPECT_EQ(parse_number(text), std::nullopt) << text;
    }
    EXPECT_EQ(parse_number(".5"), 0.5);
    EXPECT_EQ(parse_number("5."), 5.0);
}

TEST(Scalar, QuotesWhatWouldReadDifferently) {
    EXPECT_EQ(quote_if_needed("monai.networks.RFlowScheduler"), "monai.networks.RFlowScheduler");
    EXPECT_EQ(quote_if_needed(".nii.gz"), ".nii.gz");
    for (const char* text :
         {"", "null", "True", "no", "12", "1e3", ".5", "a: b", "a #b", "{seed}", "- a", "@a", "\n"}) {
        const std::string quoted = quote_if_needed(text);
        EXPECT_EQ(quoted.front(), '"') << text;
        const Node node = parse_yaml("k: " + quoted, "x");
        EXPECT_EQ(node.find("k")->text, text);
        EXPECT_TRUE(node.find("k")->quoted);
    }
}

}  // namespace voldiff

#include "core/anatomy/label_table.h"

#include "io/anatomy/tables.h"
#include "tests/config_helpers.h"
#include "tests/support/label_volumes.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>

#include <set>

namespace voldiff {

class LabelTables : public ConfigFolder {};

TEST_F(LabelTables, HasAllLabelsOnce) {
    const LabelTable table = label_table();
    std::set<std::int64_t> values;
    for (const auto& [name, value] : table.entries()) {
        values.insert(value);
        EXPECT_EQ(table.value(name), value);
        EXPECT_EQ(table.name(value), name);
    }
    EXPECT_EQ(table.entries().size(), 133U);
    EXPECT_EQ(values.size(), 133U);
    EXPECT_EQ(*values.begin(), 1);
    EXPECT_EQ(*std::next(values.rbegin()), 132);
    EXPECT_EQ(*values.rbegin(), 200);
    EXPECT_EQ(table.describe(1), "liver (1)");
    EXPECT_EQ(table.describe(301), "301");
}

TEST_F(LabelTables, NamesWhatAnUnknownOrganMayBe) {
    const LabelTable table = label_table();
    const auto message = [&](const std::string& name) {
        return message_of(ErrorCode::config, [&] { table.value(name); });
    };
    expect_contains(message("livr"), "did you mean 'liver'?");
    expect_contains(message("kidney"), "did you mean 'right kidney' or 'left kidney'");
    expect_contains(message("xyzzy"), "unknown anatomy 'xyzzy'\nexpected one of the 133 names");
}

TEST_F(LabelTables, UnknownValuesAreNamedWithTheirVoxels) {
    const LabelTable table = label_table();
    at::Tensor known = at::arange(134, at::kInt);
    known[133] = 200;
    EXPECT_TRUE(unknown_labels(known, table).empty());
    check_labels(known, table);
    const at::Tensor mixed = at::tensor({0, 1, 133, 401, 401, -1, 200}, at::kInt);
    EXPECT_EQ(unknown_labels(mixed, table), (LabelCounts{{-1, 1}, {133, 1}, {401, 2}}));
    expect_contains(message_of(ErrorCode::config, [&] { check_labels(mixed, table); }),
                    "3 label values that are not in the label table: 401 (2), -1 (1), 133 (1) (voxels)");
}

TEST_F(LabelTables, ClassesOfTheMaskGeneratorBecomeValuesOfTheTable) {
    const LabelTable table = label_table();
    const LabelPairs pairs = read_label_pairs(std::string(PROJECT_ROOT) + "/configs/labels/label_dict_124_to_132.json");
    std::set<std::int64_t> classes;
    for (const auto& [from, to] : pairs) {
        classes.insert(from);
        EXPECT_TRUE(table.name(to)) << to;
    }
    EXPECT_EQ(classes.size(), pairs.size());
    expect_contains(message_of(ErrorCode::config, [&] { read_label_pairs(write("x.json", R"({"liver": [1]})")); }),
                    "x.json:1:2: 'liver' is a list, expected [class");
    expect_contains(message_of(ErrorCode::config, [&] { read_label_pairs(write("y.json", R"({"liver": [1, "a"]})")); }),
                    "'liver' is 'a', expected an integer");
    message_of(ErrorCode::io, [&] { read_label_pairs(folder / "none.json"); });
}

TEST_F(LabelTables, StatisticsAreThoseOfTheQualityCheck) {
    const std::vector<MedianStatistics> statistics = ct_median_statistics();
    ASSERT_EQ(statistics.size(), 7U);
    EXPECT_EQ(statistics.front().organ, "liver");
    EXPECT_EQ(statistics.front().percentile_99_5, 162.0);
    std::set<std::string> organs;
    for (const auto& [organ, labels] : quality_organs()) organs.insert(organ);
    for (const MedianStatistics& known : statistics) {
        EXPECT_EQ(organs.count(known.organ), 1U) << known.organ;
        EXPECT_LT(known.sigma_6_low, known.sigma_6_high);
        EXPECT_LT(known.percentile_0_5, known.percentile_99_5);
    }
}

}  // namespace voldiff

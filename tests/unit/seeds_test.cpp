#include "app/seeds.h"

#include "tests/config_helpers.h"

namespace voldiff {

TEST(Seeds, AreRangesAndLists) {
    EXPECT_EQ(parse_seeds("0..3"), (std::vector<std::int64_t>{0, 1, 2, 3})) << "both ends are included";
    EXPECT_EQ(parse_seeds("7"), (std::vector<std::int64_t>{7}));
    EXPECT_EQ(parse_seeds("5,0,3"), (std::vector<std::int64_t>{5, 0, 3})) << "in the order written";
    EXPECT_EQ(parse_seeds("0..1,10,4..4"), (std::vector<std::int64_t>{0, 1, 10, 4}));
    EXPECT_EQ(parse_seeds("9223372036854775806..9223372036854775807").size(), 2U);
    EXPECT_EQ(parse_seeds("1..10000").size(), 10000U);
}

TEST(Seeds, RefuseEverythingElse) {
    for (const char* text : {"", "a", "7..0", "-1", "1..", "..1", "..", "1...3", "1,", ",1", "1 2", "0x5", "1.5", "1,1",
                             "0..2,1", "0..10000", "0..9223372036854775807", "99999999999999999999"}) {
        expect_contains(message_of(ErrorCode::usage, [&] { parse_seeds(text); }), "expected seeds as in 0..7 or 0,3,5");
    }
}

}  // namespace voldiff

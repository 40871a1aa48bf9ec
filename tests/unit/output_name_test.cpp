#include "app/output_name.h"

#include "core/error.h"

#include <gtest/gtest.h>

namespace voldiff {
namespace {

ErrorCode refusal(const std::string& pattern) {
    try {
        expand_name(pattern, "demo", 1, 2);
    } catch (const Error& error) {
        return error.code();
    }
    return ErrorCode::internal;
}

TEST(OutputName, FillsPlaceholders) {
    EXPECT_EQ(expand_name("{config}_seed{seed}_{index:03}", "demo", 7, 2), "demo_seed7_002");
    EXPECT_EQ(expand_name("{seed:5}/{index}", "demo", 7, 12), "00007/12");
    EXPECT_EQ(expand_name("{index:01}", "demo", 7, 1234), "1234");
}

TEST(OutputName, RefusesUnknownPlaceholders) {
    for (const char* pattern : {"{date}", "{seed", "{index:x}", "{index:99}", "{config:3}", "{}"}) {
        EXPECT_EQ(refusal(pattern), ErrorCode::config) << pattern;
    }
}

TEST(OutputName, IsANameThatFileSystemsTake) {
    EXPECT_EQ(expand_name(std::string(200, 'x') + "/b", "c", 0, 0).size(), 202U);
    const auto refused = [](const std::string& pattern, const std::string& why) {
        try {
            expand_name(pattern, "c", 0, 0);
            ADD_FAILURE() << "nothing was thrown";
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
        }
    };
    refused(std::string(201, 'x'), "a name of 201 bytes, more than 200");
    for (const char c : {'\0', '\n', '\t', '\x1B', '\x7F'}) refused(std::string("a") + c, "has control characters");
}

TEST(OutputName, StaysInsideTheDirectory) {
    for (const char* pattern : {"../x", "a/../../x", "/etc/x", ""}) {
        EXPECT_EQ(refusal(pattern), ErrorCode::config) << pattern;
    }
}

TEST(PlanOutputs, RefusesNamesThatCollide) {
    RunConfig run;
    run.output.directory = "no_such_directory";
    run.output.name = "same";
    run.sampling.count = 2;
    EXPECT_THROW(plan_outputs(run, false), Error);
    run.output.name = "{index}";
    const auto plan = plan_outputs(run, false);
    ASSERT_EQ(plan.size(), 2U);
    EXPECT_EQ(plan[1].seed, run.sampling.seed + 1);
    EXPECT_EQ(plan[1].volume.string(), "no_such_directory/1.nii.gz");
}

}  // namespace
}  // namespace voldiff

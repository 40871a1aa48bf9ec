#include "app/progress.h"

#include "app/exit_codes.h"
#include "app/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <new>
#include <sstream>

namespace voldiff {

namespace {

std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST(ClockTime, IsReadAsOnAClock) {
    EXPECT_EQ(clock_time(0), "0:00");
    EXPECT_EQ(clock_time(59.6), "1:00");
    EXPECT_EQ(clock_time(754), "12:34");
    EXPECT_EQ(clock_time(3723), "1:02:03");
    EXPECT_EQ(clock_time(-1), "0:00");
}

TEST(Progress, SaysOneLineForEveryTenth) {
    std::ostringstream text;
    Log log(text, false, false);
    Progress progress(log);
    const auto began = Progress::Clock::now();
    progress.start("denoise", 30, began);
    for (std::size_t step = 1; step <= 30; ++step) progress.step(step, began + std::chrono::seconds(2 * step));
    EXPECT_EQ(lines(text.str()), 10U);
    const std::string first = text.str().substr(0, text.str().find('\n'));
    EXPECT_EQ(first, "denoise 3/30 (10 %), 2 s/step, 0:06 elapsed, 0:54 left");
    progress.finish(began + std::chrono::seconds(60));
    EXPECT_NE(text.str().find("denoise took 60.0 s\n"), std::string::npos);
}

TEST(Progress, SaysFewerLinesForFewSteps) {
    std::ostringstream text;
    Log log(text, false, false);
    Progress progress(log);
    progress.start("decode", 2);
    progress.step(1);
    progress.step(2);
    EXPECT_EQ(lines(text.str()), 2U);
}

TEST(Progress, RedrawsOneLineOnATerminal) {
    std::ostringstream text;
    Log log(text, true, false);
    Progress progress(log);
    progress.start("denoise", 5);
    for (std::size_t step = 1; step <= 5; ++step) progress.step(step);
    EXPECT_EQ(lines(text.str()), 0U);
    EXPECT_EQ(text.str().substr(0, 17), "\r\033[Kdenoise 0/5\r\033");
    log.error("failed");
    EXPECT_EQ(text.str().substr(text.str().size() - 18), "\r\033[Kerror: failed\n") << "the line made room for it";
}

TEST(Log, ShowsOnlyItsLevelAndAbove) {
    std::ostringstream text;
    Log log(text, true, false);
    log.set_level(LogLevel::error);
    log.debug("d");
    log.info("i");
    log.warn("w");
    log.status("s");
    EXPECT_EQ(text.str(), "");
    log.error("e");
    EXPECT_EQ(text.str(), "error: e\n");
    log.set_level(LogLevel::debug);
    log.debug("d");
    log.warn("w");
    EXPECT_EQ(text.str(), "error: e\ndebug: d\nwarning: w\n");
}

TEST(Log, ColoursOnlyTheWordThatSaysWhatItIs) {
    std::ostringstream text;
    Log log(text, true, true);
    log.error("e");
    EXPECT_EQ(text.str(), "\033[31merror: \033[0me\n");
}

TEST(Log, SurvivesAStreamThatFails) {
    std::ostringstream text;
    text.setstate(std::ios::badbit);
    Log log(text, false, false);
    EXPECT_NO_THROW(log.error("e"));
}

TEST(LogLevel, HasNames) {
    EXPECT_EQ(log_level("warn"), LogLevel::warn);
    EXPECT_THROW(log_level("loud"), Error);
}

TEST(AsError, FindsTheCode) {
    EXPECT_EQ(as_error(Error(ErrorCode::weights, "w")).code(), ErrorCode::weights);
    EXPECT_EQ(as_error(std::bad_alloc()).code(), ErrorCode::memory);
    EXPECT_EQ(as_error(std::runtime_error("CUDA out of memory. Tried ...")).code(), ErrorCode::memory);
    EXPECT_EQ(as_error(std::runtime_error("surprise")).code(), ErrorCode::internal);
}

TEST(ExitCodes, AreListedOnce) {
    std::vector<int> statuses;
    for (const ExitCode& code : exit_codes()) statuses.push_back(code.status);
    EXPECT_EQ(statuses, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 130}));
}

TEST(Table, FormatsForPeople) {
    EXPECT_EQ(with_thousands(0), "0");
    EXPECT_EQ(with_thousands(999), "999");
    EXPECT_EQ(with_thousands(1234567), "1,234,567");
    EXPECT_EQ(byte_size(1023), "1023 bytes");
    EXPECT_EQ(byte_size(1536), "1.5 KiB");
    EXPECT_EQ(byte_size(std::uint64_t{3} << 30), "3.0 GiB");
    EXPECT_EQ(printable("a\033[2Jb\n\xff"), "a?[2Jb??");
    EXPECT_EQ(short_number(-0.1), "-0.1");
    EXPECT_EQ(join_values({1, 2.5, "x"}), "1, 2.5, x");
}

}  // namespace voldiff

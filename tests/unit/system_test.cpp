#include "io/system/system.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <fstream>
#include <vector>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

// A machine made of files.
class FakeMachine : public ::testing::Test {
  protected:
    void SetUp() override {
        fs::remove_all(root_);
        put("proc/meminfo", "MemTotal:  16000 kB\nMemFree: 1 kB\nMemAvailable:   8000 kB\n");
    }
    void TearDown() override { fs::remove_all(root_); }
    void put(const std::string& name, const std::string& text) {
        fs::create_directories((root_ / name).parent_path());
        std::ofstream(root_ / name) << text;
    }
    static constexpr std::size_t kib = 1024;

    fs::path root_ = fs::temp_directory_path() / "voldiff_system_test";
};

}  // namespace

TEST(PeakMemory, GrowsWithWhatIsTouched) {
    const std::size_t before = peak_memory();
    ASSERT_GT(before, 0U);
    {
        std::vector<char> block(std::size_t{200} << 20, 1);
        EXPECT_GE(peak_memory(), before);
        EXPECT_GE(peak_memory(), std::size_t{200} << 20) << block.size();
    }
    if (!reset_peak_memory()) GTEST_SKIP() << "the system does not let the peak be reset";
    EXPECT_LT(peak_memory(), before + (std::size_t{100} << 20));
}

TEST_F(FakeMachine, WithoutLimitsHasWhatIsAvailable) {
    EXPECT_EQ(available_memory(root_), 8000 * kib);
    EXPECT_EQ(total_memory(root_), 16000 * kib);
}

TEST_F(FakeMachine, ObeysCgroup2) {
    put("proc/self/cgroup", "0::/job/step\n");
    put("sys/fs/cgroup/job/step/memory.max", "max\n");
    put("sys/fs/cgroup/job/step/memory.current", "1024\n");
    put("sys/fs/cgroup/job/memory.max", "4096000\n");
    put("sys/fs/cgroup/job/memory.current", "1024000\n");
    put("sys/fs/cgroup/job/memory.stat", "anon 824000\ninactive_file 200000\n");
    EXPECT_EQ(available_memory(root_), 4096000U - (1024000U - 200000U)) << "cached pages can be dropped";
    EXPECT_EQ(total_memory(root_), 4096000U);
}

TEST_F(FakeMachine, ObeysCgroup1) {
    put("proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/docker/abc\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "3000000\n");  // as seen from within the container
    put("sys/fs/cgroup/memory/memory.usage_in_bytes", "1000000\n");
    put("sys/fs/cgroup/memory/memory.stat", "cache 5\ntotal_inactive_file 400000\n");
    EXPECT_EQ(available_memory(root_), 3000000U - 600000U);
}

TEST_F(FakeMachine, HasNothingLeftAboveItsLimit) {
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/memory.max", "1000\n");
    put("sys/fs/cgroup/memory.current", "2000\n");
    EXPECT_EQ(available_memory(root_), 0U);
}

TEST_F(FakeMachine, TakesTheMachinesMemoryWhereTheLimitIsLarger) {
    put("proc/self/cgroup", "4:memory:/\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    EXPECT_EQ(available_memory(root_), 8000 * kib);
}

TEST(AvailableMemory, IsSomeOfThisMachine) {
    EXPECT_GT(available_memory(), std::size_t{1} << 20);
    EXPECT_LE(available_memory(), total_memory());
}

TEST(CoreCount, RespectsAffinity) {
    cpu_set_t all;
    ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
    EXPECT_EQ(core_count(), CPU_COUNT(&all));
    int first = 0;
    while (!CPU_ISSET(first, &all)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    EXPECT_EQ(core_count(), 1);
    sched_setaffinity(0, sizeof(all), &all);
}

TEST(CpuName, IsNotEmpty) { EXPECT_FALSE(cpu_name().empty()); }

TEST(ExecutableDirectory, HoldsThisProgram) { EXPECT_TRUE(fs::exists(executable_directory())); }

TEST(DataDirectory, IsWhatTheEnvironmentSays) {
    ASSERT_EQ(setenv("VOLDIFF_DATA", "/some/where", 1), 0);
    EXPECT_EQ(data_directory(), "/some/where");
    ASSERT_EQ(unsetenv("VOLDIFF_DATA"), 0);
    const std::string otherwise = data_directory().string();
    EXPECT_EQ(otherwise.substr(otherwise.rfind('/')), "/configs");
}

}  // namespace voldiff

#include "core/ops/kernels/parallel.h"
#include "tests/support/kept_threads.h"

#include <gtest/gtest.h>

#include <ATen/Parallel.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace voldiff;

namespace {

class Parallel : public testing::Test {
  protected:
    Parallel() { at::set_num_threads(4); }

  private:
    KeptThreads kept_;
};

std::vector<int> visits(std::int64_t count) {
    std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
    std::atomic<bool> right_worker{true};
    ops::parallel_each(count, [&](std::int64_t index, std::int64_t worker) {
        ++seen[static_cast<std::size_t>(index)];
        if (worker < 0 || worker >= ops::worker_count()) right_worker = false;
    });
    EXPECT_TRUE(right_worker);
    return {seen.begin(), seen.end()};
}

bool each_once(std::int64_t count) { return visits(count) == std::vector<int>(static_cast<std::size_t>(count), 1); }

TEST_F(Parallel, TakesEachIndexOnce) {
    for (int round = 0; round < 2000; ++round) ASSERT_TRUE(each_once(round % 9));
    EXPECT_TRUE(each_once(100000));
}

TEST_F(Parallel, WakesWorkersThatFellAsleep) {
    for (int round = 0; round < 5; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        ASSERT_TRUE(each_once(50));
    }
}

TEST_F(Parallel, ThrowsWhatTheWorkThrows) {
    const auto fail = [](std::int64_t index, std::int64_t) {
        if (index == 7) throw std::runtime_error("seven");
    };
    EXPECT_THROW(ops::parallel_each(1000, fail), std::runtime_error);
    EXPECT_TRUE(each_once(1000)) << "the threads are still there";
}

TEST_F(Parallel, WithinItselfIsOneThread) {
    std::atomic<int> inner{0};
    ops::parallel_each(8, [&](std::int64_t, std::int64_t) {
        ops::parallel_each(5, [&](std::int64_t, std::int64_t worker) { inner += worker == 0 ? 1 : 1000; });
    });
    EXPECT_EQ(inner, 40);
}

TEST_F(Parallel, ServesTwoCallersAtOnce) {
    std::thread other([] {
        for (int round = 0; round < 500; ++round) EXPECT_TRUE(each_once(20));
    });
    for (int round = 0; round < 500; ++round) EXPECT_TRUE(each_once(20));
    other.join();
}

TEST_F(Parallel, WorksInAForkedProcess) {
    ASSERT_TRUE(each_once(100));
    const pid_t child = ::fork();
    if (child == 0) ::_exit(each_once(100) ? 0 : 1);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace

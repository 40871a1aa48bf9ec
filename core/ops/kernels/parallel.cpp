// Threads of our own instead of OpenMP's: those either sleep between any two pieces of work, and waking them costs more
// than many a layer, or they hold their core while they wait, and two programs on one machine take turns at waiting.
// Ours stay awake for a moment, but give their core to whoever asks for it.
#include "core/ops/kernels/parallel.h"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace voldiff::ops {

namespace {

constexpr std::chrono::microseconds awake{200};

class WorkerPool {
  public:
    WorkerPool() = default;
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;
    ~WorkerPool() {
        change([this] { ends_ = true; });
        for (std::thread& thread : threads_) thread.join();
    }

    // task(worker) on the caller, which is worker 0, and on `workers` - 1 threads, or as many as the system gives; to
    // the end of all.
    void run(std::int64_t workers, const std::function<void(std::int64_t)>& task) {
        workers = std::min(workers, 1 + threads_up_to(workers - 1));
        change([&] {
            task_ = &task;
            workers_ = workers;
            busy_ = workers - 1;
            ++round_;
        });
        task(0);
        wait_until([this] { return busy_ == 0; });
    }

  private:
    std::int64_t threads_up_to(std::int64_t wanted) {
        try {
            while (static_cast<std::int64_t>(threads_.size()) < wanted) {
                threads_.emplace_back([this, worker = threads_.size() + 1, round = round_.load()] {
                    serve(static_cast<std::int64_t>(worker), round);
                });
            }
        } catch (const std::system_error&) {  // a limit of processes or memory: fewer do the same work
        }
        return static_cast<std::int64_t>(threads_.size());
    }
    void serve(std::int64_t worker, std::uint64_t round) {
        while (true) {
            wait_until([&] { return round_ != round || ends_; });
            if (ends_) return;
            const auto task = join(round, worker);
            if (task == nullptr) continue;
            (*task)(worker);
            if (--busy_ == 0) change([] {});
        }
    }
    // The task of the present round for one of its workers; null for a thread that it does without. Both at once: such
    // a thread may be late, and must not take the next round's task for this one's.
    const std::function<void(std::int64_t)>* join(std::uint64_t& round, std::int64_t worker) {
        const std::lock_guard<std::mutex> lock(mutex_);
        round = round_;
        return worker < workers_ ? task_ : nullptr;
    }
    // Under the lock, or somebody who is just falling asleep would miss it.
    template <class Change>
    void change(const Change& apply) {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            apply();
        }
        if (asleep_ > 0) changed_.notify_all();
    }
    template <class Condition>
    void wait_until(const Condition& holds) {
        const auto until = std::chrono::steady_clock::now() + awake;
        while (!holds()) {
            std::this_thread::yield();
            if (std::chrono::steady_clock::now() < until) continue;
            std::unique_lock<std::mutex> lock(mutex_);
            ++asleep_;
            changed_.wait(lock, holds);
            --asleep_;
            return;
        }
    }

    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<int> asleep_{0};
    std::atomic<std::uint64_t> round_{0};
    std::atomic<std::int64_t> busy_{0};  // threads that are not done with the round
    std::int64_t workers_ = 0;
    std::atomic<bool> ends_{false};
    const std::function<void(std::int64_t)>* task_ = nullptr;
};

// The process's pool, for one caller at a time. A forked process has no threads of its parent's and starts anew.
struct SharedPool {
    std::mutex in_use;
    std::unique_ptr<WorkerPool> pool = std::make_unique<WorkerPool>();
    pid_t owner = ::getpid();

    WorkerPool& of_this_process() {
        if (owner != ::getpid()) {
            static_cast<void>(pool.release());  // its threads cannot be joined here
            pool = std::make_unique<WorkerPool>();
            owner = ::getpid();
        }
        return *pool;
    }
};

SharedPool& shared_pool() {
    static SharedPool shared;
    return shared;
}

// Indices in ascending order, for all workers together; after a failure no more.
class Turns {
  public:
    Turns(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& work)
        : count_(count), work_(work) {}

    void take(std::int64_t worker) {
        try {
            for (std::int64_t index = next_++; index < count_; index = next_++) work_(index, worker);
        } catch (...) {
            next_ = count_;
            const std::lock_guard<std::mutex> lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
        }
    }
    void rethrow() const {
        if (failure_) std::rethrow_exception(failure_);
    }

  private:
    std::int64_t count_;
    const std::function<void(std::int64_t, std::int64_t)>& work_;
    std::atomic<std::int64_t> next_{0};
    std::mutex mutex_;
    std::exception_ptr failure_;
};

}  // namespace

std::int64_t worker_count() { return std::max(1, at::get_num_threads()); }

void parallel_each(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& work) {
    thread_local bool within = false;  // of the thread that runs: each has its own
    const std::int64_t workers = std::min(worker_count(), count);
    SharedPool& shared = shared_pool();
    std::unique_lock<std::mutex> lock(shared.in_use, std::defer_lock);
    if (within || workers < 2 || !lock.try_lock()) {
        for (std::int64_t index = 0; index < count; ++index) work(index, 0);
        return;
    }
    Turns turns(count, work);
    shared.of_this_process().run(workers, [&](std::int64_t worker) {
        within = true;
        turns.take(worker);
        within = false;
    });
    turns.rethrow();
}

}  // namespace voldiff::ops

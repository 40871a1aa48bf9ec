#include "app/batch/workers.h"

#include "core/error.h"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

extern char** environ;

namespace voldiff {

namespace {

constexpr int most_restarts = 3;  // of one worker

struct Worker {
    std::size_t index = 0;
    pid_t process = 0;  // 0: it has ended
    int restarts = 0;
};

std::vector<int> allowed_cores() {
    cpu_set_t set;
    std::vector<int> cores;
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return cores;
    for (int i = 0; i < CPU_SETSIZE; ++i)
        if (CPU_ISSET(i, &set)) cores.push_back(i);
    return cores;
}

// Its results are the files: what it would print goes nowhere.
pid_t start(const std::vector<std::string>& arguments, std::size_t index, std::size_t count) {
    std::vector<std::string> words = {"voldiff"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    words.insert(words.end(), {"--worker", std::to_string(index) + "/" + std::to_string(count)});
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t process = 0;
    const int problem = ::posix_spawn(&process, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (problem != 0) throw Error(ErrorCode::internal, std::string("cannot start a worker: ") + std::strerror(problem));
    return process;
}

// True where it is still at work.
bool look_after(Worker& worker, const std::vector<std::string>& arguments, std::size_t count, Context& context) {
    int status = 0;
    if (worker.process == 0) return false;
    if (::waitpid(worker.process, &status, WNOHANG) != worker.process) return true;
    worker.process = 0;
    if (!WIFSIGNALED(status) || context.cancel.requested()) return false;
    context.log.warn("worker " + std::to_string(worker.index) + " was ended by signal " +
                     std::to_string(WTERMSIG(status)));
    if (worker.restarts++ >= most_restarts) return false;
    worker.process = start(arguments, worker.index, count);
    return true;
}

}  // namespace

std::vector<int> cores_of_worker(const std::vector<int>& cores, std::size_t index, std::size_t count) {
    if (cores.empty()) return {};
    if (cores.size() < count) return {cores[index % cores.size()]};
    const auto begin = cores.begin();
    return {begin + static_cast<std::ptrdiff_t>(index * cores.size() / count),
            begin + static_cast<std::ptrdiff_t>((index + 1) * cores.size() / count)};
}

void become_worker(const Shard& place) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    cpu_set_t set;
    CPU_ZERO(&set);
    const std::vector<int> cores = cores_of_worker(allowed_cores(), place.index, place.count);
    for (const int core : cores) CPU_SET(core, &set);
    if (!cores.empty()) ::sched_setaffinity(0, sizeof set, &set);
}

void run_workers(std::size_t count, const std::vector<std::string>& arguments, Context& context,
                 const std::function<void()>& idle) {
    // Threads that spin while they wait take the cores from other processes. OpenMP reads this when it is loaded.
    ::setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
    std::vector<Worker> workers;
    for (std::size_t i = 0; i < count; ++i) workers.push_back({i, start(arguments, i, count), 0});
    bool told = false;
    for (int round = 0, active = 1; active > 0; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        active = 0;
        for (Worker& worker : workers) active += look_after(worker, arguments, count, context) ? 1 : 0;
        if (context.cancel.requested() && !told)
            for (const Worker& worker : workers)
                if (worker.process != 0) ::kill(worker.process, SIGTERM);
        told = context.cancel.requested();
        if (round % 10 == 9) idle();
    }
}

}  // namespace voldiff

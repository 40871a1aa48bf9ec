#include "app/batch/slurm.h"

#include "core/error.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <sstream>

extern char** environ;

namespace voldiff {

namespace {

constexpr double warning_seconds = 120;  // before the time is over
constexpr int most_requeues = 50;

std::string plain_name(std::string text) {
    for (char& c : text)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-') c = '_';
    return text.substr(0, 60);
}

class Pipe {
  public:
    Pipe() {
        if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw Error(ErrorCode::io, "cannot make a pipe");
    }
    ~Pipe() {
        close_input();
        ::close(ends_[0]);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    int input() const { return ends_[1]; }
    void close_input() {
        if (ends_[1] >= 0) ::close(ends_[1]);
        ends_[1] = -1;
    }
    std::string read_all() {
        close_input();
        std::string text;
        std::array<char, 4096> block{};
        for (ssize_t size = 0; (size = ::read(ends_[0], block.data(), block.size())) > 0;)
            text.append(block.data(), static_cast<std::size_t>(size));
        return text;
    }

  private:
    std::array<int, 2> ends_{-1, -1};
};

}  // namespace

std::string shell_word(const std::string& text) {
    std::string word = "'";
    for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
    return word + "'";
}

std::string slurm_time(double seconds) {
    const auto minutes = static_cast<long long>(std::ceil(std::clamp(seconds, 60.0, 3e7) / 60));
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%lld-%02lld:%02lld:00", minutes / 1440, minutes / 60 % 24, minutes % 60);
    return text.data();
}

std::string slurm_script(const SlurmJob& job) {
    std::ostringstream text;
    const auto option = [&text](const std::string& words) { text << "#SBATCH " << words << "\n"; };
    text << "#!/bin/bash\n";
    option("--job-name=" + plain_name(job.name));
    option("--array=0-" + std::to_string(job.tasks - 1));
    option("--ntasks=1");
    option("--cpus-per-task=" + std::to_string(job.cores));
    option("--mem=" + std::to_string(static_cast<long long>(std::ceil(job.memory / (1 << 20)))) + "M");
    option("--time=" + slurm_time(job.seconds));
    option("--requeue");
    option("--open-mode=append");
    option("--signal=B:USR1@" + std::to_string(static_cast<int>(warning_seconds)));
    text << "# Written by voldiff batch --slurm. A task may be stopped and requeued at any time: a batch goes on where "
            "it was.\n";
    text << "export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}  # waiting threads sleep: a node is shared\n";
    text << "requeue=0\ntrap 'requeue=1; kill -TERM $child' USR1\ntrap 'kill -TERM $child' TERM INT\n";
    for (const std::string& word : job.arguments) text << shell_word(word) << " ";
    text << "--shard \"$SLURM_ARRAY_TASK_ID/" << job.tasks << "\" --set runtime.threads=\"$SLURM_CPUS_PER_TASK\" &\n";
    text << "child=$!\n"
            "while kill -0 $child 2>/dev/null; do wait $child; done  # a signal ends a wait, not the program\n"
            "wait $child\n"
            "status=$?\n";
    text
        << "if [ $requeue = 1 ] && [ $status = 130 ] && [ \"${SLURM_RESTART_COUNT:-0}\" -lt " << most_requeues
        << " ]; then\n    scontrol requeue \"$SLURM_JOB_ID\" && sleep 60  # which ends this script\nfi\nexit $status\n";
    return text.str();
}

std::string submit(const std::filesystem::path& script, const std::vector<std::string>& options) {
    std::vector<std::string> words = {"sbatch", "--parsable"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(script.string());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    Pipe pipe;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe.input(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, pipe.input(), STDERR_FILENO);
    pid_t process = 0;
    const int problem = ::posix_spawnp(&process, "sbatch", &actions, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (problem != 0)
        throw Error(ErrorCode::io, std::string("cannot run sbatch: ") + std::strerror(problem) +
                                       "; is this a machine with Slurm? The script is " + script.string());
    const std::string said = pipe.read_all();
    int status = 0;
    ::waitpid(process, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw Error(ErrorCode::io, "sbatch refuses " + script.string() + ": " + said.substr(0, said.find('\n')));
    return said.substr(0, said.find('\n'));
}

}  // namespace voldiff

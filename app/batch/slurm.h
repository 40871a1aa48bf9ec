// A batch as an array job of Slurm (https://slurm.schedmd.com/sbatch.html).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace voldiff {

struct SlurmJob {
    std::string name;                    // of the job
    std::vector<std::string> arguments;  // of voldiff, the part of the batch aside
    std::size_t tasks = 1;
    int cores = 1;       // of a task
    double memory = 0;   // bytes, of a task
    double seconds = 0;  // of a task
};

// The script. A task is a part of the batch and may be requeued at any time, since a batch goes on where it was. Before
// the time is over it is told (USR1), ends its run and requeues itself; on SIGTERM (preemption, scancel) it ends.
std::string slurm_script(const SlurmJob& job);

// A word for a shell that stands for itself, whatever is in it.
std::string shell_word(const std::string& text);

// "1-02:03:04": days, hours, minutes, seconds; at least a minute.
std::string slurm_time(double seconds);

// Submits a script with more options of sbatch, which win over those in it; what sbatch prints. Throws Error(io) where
// there is no sbatch or it refuses, with its reason.
std::string submit(const std::filesystem::path& script, const std::vector<std::string>& options);

}  // namespace voldiff

// `voldiff batch` as it was called, and its ways to more than one process.
#pragma once

#include "app/batch/jobs.h"
#include "app/batch/runner.h"
#include "app/batch/shard.h"
#include "app/commands/commands.h"
#include "app/table.h"

#include <cstdint>
#include <string>
#include <vector>

namespace voldiff {

struct BatchCommand {
    std::string file;
    std::string output = ".";
    std::string models;
    std::vector<std::string> sets;
    std::string shard;
    std::int64_t retries = 2;
    std::int64_t claim_timeout = 60;  // seconds
    std::size_t workers = 1;
    std::string worker;  // what a worker is told
    bool slurm = false;
    std::size_t slurm_tasks = 0;
    std::vector<std::string> slurm_options;
    bool force = false;
    bool allow_torchscript = false;
    bool strict = false;
    bool verify = false;
    bool dry_run = false;
    bool status = false;
    bool json = false;
};

std::string count_of(std::size_t count, const std::string& noun);  // "1 run", "2 runs"

// --workers: what became of the jobs, from their folders and the journals.
BatchResult run_with_workers(const std::vector<const Job*>& jobs, const BatchCommand& command, const Shard& shard,
                             Context& context);

// See `plan_report`, of `jobs`, which are some of `all`. Models are loaded and tried for what no journal tells of.
Report plan_of(std::vector<Job>& all, const std::vector<const Job*>& jobs, const BatchCommand& command,
               const std::shared_ptr<ModelStore>& store, Context& context);

// --slurm: writes the script beside the output and submits it; with --dry-run prints it.
void run_slurm(const Report& plan, const BatchCommand& command, Context& context);

}  // namespace voldiff

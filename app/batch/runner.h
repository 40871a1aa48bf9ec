// Makes the volumes of a batch that are not made yet, and survives what goes wrong with some of them.
#pragma once

#include "app/batch/jobs.h"
#include "app/commands/commands.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace voldiff {

struct RunnerOptions {
    std::filesystem::path root;  // see BatchSettings
    std::int64_t retries = 2;    // of a run whose failure may not come again
    bool verify = false;         // read what is made already
    bool beyond_training = false;
    std::int64_t threads = 0;  // of runs that do not say; 0: all cores
    std::chrono::milliseconds claim_timeout{60000};
};

struct FailedRun {
    std::size_t number;
    std::string label;  // its volume, or what it is where no volume could be named
    Error error;
};

struct BatchResult {
    std::vector<std::filesystem::path> made;  // in the order in which they were written
    std::size_t found = 0;                    // made by an earlier call
    std::size_t elsewhere = 0;                // made by another process meanwhile
    std::vector<FailedRun> failed;
    std::size_t loads = 0;  // of models
    bool interrupted = false;
    std::string gone;  // why it ended before its time: the folder is no longer there
};

// The jobs in order; while one is computed, the one before is written. Those that another process claims are visited
// again at the end, until all are made or failed. Throws nothing that concerns single runs.
BatchResult run_batch(const std::vector<const Job*>& jobs, const RunnerOptions& options,
                      const std::shared_ptr<ModelStore>& store, Context& context);

}  // namespace voldiff

// A part of a batch.
#pragma once

#include "app/batch/jobs.h"

#include <cstddef>
#include <string>
#include <vector>

namespace voldiff {

// Every `count`-th run from the `index`-th on, from 0.
struct Shard {
    std::size_t index = 0;
    std::size_t count = 1;
};

// "0/4" to "3/4". Throws Error(usage).
Shard parse_shard(const std::string& text);

// What Slurm's environment says about a task of an array job, from SLURM_ARRAY_TASK_ID, _MIN, _MAX and _STEP; the whole
// batch where there is none. Throws Error(usage) where the numbers make no sense.
Shard slurm_shard();

std::vector<const Job*> jobs_of(const std::vector<Job>& jobs, const Shard& shard);

}  // namespace voldiff

// Several processes of this program for one batch, on one machine.
#pragma once

#include "app/batch/shard.h"
#include "app/commands/commands.h"

#include <functional>
#include <string>
#include <vector>

namespace voldiff {

// The cores of worker `index` of `count`: an even share of `cores`; where there are fewer cores than workers, one that
// others have too.
std::vector<int> cores_of_worker(const std::vector<int>& cores, std::size_t index, std::size_t count);

// To be called by a worker before anything else: keeps it to its cores and ends it with its parent.
void become_worker(const Shard& place);

// Starts `count` times `voldiff ARGUMENTS --worker I/N` and waits for all; one that was killed is started again, a few
// times. A signal to this process goes on to them. `idle` is called about every second. Throws Error(internal) where
// the system starts none.
void run_workers(std::size_t count, const std::vector<std::string>& arguments, Context& context,
                 const std::function<void()>& idle);

}  // namespace voldiff

// What journals tell about runs.
#pragma once

#include "app/batch/journal.h"
#include "core/error.h"

#include <map>
#include <string>
#include <vector>

namespace voldiff {

// By id: how often a run was started since it was last done, failed or interrupted, in other words how many processes
// ended within it, or are within it.
std::map<std::string, std::size_t> unfinished_starts(const std::vector<JournalEvent>& events);

// The `error` of an event, fit for a terminal.
std::string error_text(const JournalEvent& event);

// By id: what a run failed with last, unless it was made since.
std::map<std::string, Error> failures_of(const std::vector<JournalEvent>& events);

}  // namespace voldiff

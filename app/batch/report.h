// A batch as tables for people and as JSON.
#pragma once

#include "app/batch/forecast.h"
#include "app/batch/history.h"
#include "app/batch/jobs.h"
#include "app/batch/journal.h"
#include "app/batch/runner.h"
#include "app/table.h"

#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace voldiff {

// What the journals beside the volumes of these jobs say, folder by folder.
std::vector<JournalEvent> events_of(const std::vector<const Job*>& jobs);

// --dry-run: one entry a run (number, volume, what it is, its state, predicted seconds and memory, from what) and sums.
Report plan_report(const std::vector<const Job*>& jobs, bool verify, const Forecaster& forecaster);
void print_plan(std::ostream& out, const Report& plan);

// --status: how many are made, failed, running (by whom) and to be made, and how long the rest will take.
Report status_report(const std::vector<const Job*>& jobs);
void print_status(std::ostream& out, const Report& status);

Report result_report(const BatchResult& result);
// A line a failed run: number, volume, exit status, why.
std::string failure_table(const BatchResult& result);

}  // namespace voldiff

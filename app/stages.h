// The stages of a run: progress on the screen, and how long each took.
#pragma once

#include "app/commands/commands.h"
#include "app/progress.h"
#include "io/sidecar.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace voldiff {

// Times a stage and its peak memory from its making to `end`.
class StageClock {
  public:
    explicit StageClock(std::string name);
    StageRecord end() const;

  private:
    std::string name_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// Progress of the stages on the screen, and their clocks. Throws where the run was cancelled.
class StageWatch {
  public:
    StageWatch(Context& context, std::vector<StageRecord>& records)
        : context_(context), records_(records), progress_(context.log) {}

    void operator()(const std::string& stage, std::size_t done, std::size_t all);
    // Starts the clock of a stage before its first step is done.
    void begin(const std::string& stage, std::size_t steps);

  private:
    void end();

    Context& context_;
    std::vector<StageRecord>& records_;
    Progress progress_;
    std::string stage_;
    std::optional<StageClock> clock_;
};

}  // namespace voldiff

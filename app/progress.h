// How far a run is, for people: on a terminal one line that is redrawn, elsewhere one line for every 10 % of a stage.
#pragma once

#include "app/log.h"

#include <chrono>
#include <cstddef>

namespace voldiff {

// "0:07", "12:34", "1:02:03"
std::string clock_time(double seconds);

class Progress {
  public:
    using Clock = std::chrono::steady_clock;

    explicit Progress(Log& log) : log_(log) {}

    void start(const std::string& stage, std::size_t steps, Clock::time_point now = Clock::now());
    // `done` steps of the stage, counted from 1, are finished at `now`.
    void step(std::size_t done, Clock::time_point now = Clock::now());
    // Says how long the stage took.
    void finish(Clock::time_point now = Clock::now());

  private:
    double elapsed(Clock::time_point now) const { return std::chrono::duration<double>(now - began_).count(); }
    std::string line(std::size_t done, double seconds) const;

    Log& log_;
    std::string stage_;
    std::size_t steps_ = 0;
    std::size_t tenths_told_ = 0;
    Clock::time_point began_;
};

}  // namespace voldiff

#include "app/stages.h"

#include "io/system/system.h"

namespace voldiff {

StageClock::StageClock(std::string name) : name_(std::move(name)) { reset_peak_memory(); }

StageRecord StageClock::end() const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began_;
    return {name_, passed.count(), peak_memory()};
}

void StageWatch::operator()(const std::string& stage, std::size_t done, std::size_t all) {
    context_.cancel.check();
    if (stage != stage_) begin(stage, all);
    if (done > 0) progress_.step(done);
    if (done == all) end();
}

void StageWatch::begin(const std::string& stage, std::size_t steps) {
    stage_ = stage;
    clock_.emplace(stage);
    progress_.start(stage, steps);
}

void StageWatch::end() {
    progress_.finish();
    records_.push_back(clock_->end());
    stage_.clear();
}

}  // namespace voldiff

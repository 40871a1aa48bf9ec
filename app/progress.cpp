#include "app/progress.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace voldiff {

namespace {

template <typename... Values>
std::string format(const char* pattern, Values... values) {
    std::array<char, 128> text{};
    std::snprintf(text.data(), text.size(), pattern, values...);
    return text.data();
}

}  // namespace

std::string clock_time(double seconds) {
    const long long whole = std::llround(std::max(0.0, seconds));
    if (whole < 3600) return format("%lld:%02lld", whole / 60, whole % 60);
    return format("%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
}

void Progress::start(const std::string& stage, std::size_t steps, Clock::time_point now) {
    stage_ = stage;
    steps_ = std::max<std::size_t>(1, steps);
    tenths_told_ = 0;
    began_ = now;
    log_.status(stage_ + " 0/" + std::to_string(steps_));
}

std::string Progress::line(std::size_t done, double seconds) const {
    const double each = seconds / static_cast<double>(std::max<std::size_t>(1, done));
    const double left = each * static_cast<double>(steps_ - done);
    return stage_ + " " + std::to_string(done) + "/" + std::to_string(steps_) +
           format(" (%zu %%), %.3g s/step, ", done * 100 / steps_, each) + clock_time(seconds) + " elapsed, " +
           clock_time(left) + " left";
}

void Progress::step(std::size_t done, Clock::time_point now) {
    done = std::min(done, steps_);
    if (log_.terminal()) return log_.status(line(done, elapsed(now)));
    const std::size_t tenths = done * 10 / steps_;
    if (tenths <= tenths_told_) return;
    tenths_told_ = tenths;
    log_.info(line(done, elapsed(now)));
}

void Progress::finish(Clock::time_point now) { log_.info(stage_ + format(" took %.1f s", elapsed(now))); }

}  // namespace voldiff

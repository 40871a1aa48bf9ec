#include "app/batch/forecast.h"

#include <algorithm>

namespace voldiff {

namespace {

constexpr double most = 1e15;  // seconds or bytes: anything may stand in a journal

}  // namespace

double work_units(const Work& work) { return work.latent_voxels * static_cast<double>(work.steps) * work.parameters; }

Forecaster::Forecaster(const std::vector<JournalEvent>& events, std::map<std::string, Estimate> estimates)
    : estimates_(std::move(estimates)) {
    for (const JournalEvent& event : events) {
        if (text_of(event, "event") != "done") continue;
        add(kinds_[text_of(event, "kind")], event);
        if (number_of(event, "work") > 0) add(all_, event);
    }
}

void Forecaster::add(Sum& sum, const JournalEvent& event) {
    const auto sane = [&event](const char* key) { return std::clamp(number_of(event, key), 0.0, most); };
    sum.seconds += sane("seconds");
    sum.work += number_of(event, "work");
    sum.memory = std::max(sum.memory, sane("peak_memory_bytes"));
    ++sum.count;
}

Forecast Forecaster::of(const Work& work) const {
    if (const auto same = kinds_.find(work.kind); same != kinds_.end()) {
        const Sum& sum = same->second;
        return {sum.seconds / static_cast<double>(sum.count), sum.memory, "measured"};
    }
    if (const auto tried = estimates_.find(work.kind); tried != estimates_.end())
        return {tried->second.seconds, tried->second.memory, "tried"};
    if (all_.work > 0) return {all_.seconds / all_.work * work_units(work), 0, "scaled"};
    return {0, 0, "unknown"};
}

std::set<std::string> Forecaster::measured() const {
    std::set<std::string> kinds;
    for (const auto& [kind, sum] : kinds_) kinds.insert(kind);
    return kinds;
}

}  // namespace voldiff

#include "app/batch/forecast.h"

#include "io/system/system.h"

#include <algorithm>

namespace voldiff {

namespace {

// Of the demo model: 6.6 million weights, 4096 latent voxels, 30 steps.
constexpr double rough_core_seconds_per_unit = 1.2e-11;

}  // namespace

double work_units(const Work& work) { return work.latent_voxels * static_cast<double>(work.steps) * work.parameters; }

Forecaster::Forecaster(const std::vector<JournalEvent>& events) {
    for (const JournalEvent& event : events) {
        if (text_of(event, "event") != "done") continue;
        add(kinds_[text_of(event, "kind")], event);
        if (number_of(event, "work") > 0) add(all_, event);
    }
}

void Forecaster::add(Sum& sum, const JournalEvent& event) {
    sum.seconds += number_of(event, "seconds");
    sum.work += number_of(event, "work");
    sum.memory = std::max(sum.memory, number_of(event, "peak_memory_bytes"));
    ++sum.count;
}

Forecast Forecaster::of(const Work& work) const {
    const auto same = kinds_.find(work.kind);
    if (same != kinds_.end()) {
        const Sum& sum = same->second;
        return {sum.seconds / static_cast<double>(sum.count), std::max(sum.memory, 1.0), "measured"};
    }
    if (all_.work > 0) return {all_.seconds / all_.work * work_units(work), work.memory, "scaled"};
    return {rough_core_seconds_per_unit * work_units(work) / core_count(), work.memory, "rough"};
}

}  // namespace voldiff

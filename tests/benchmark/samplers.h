// What the sampler benchmarks share: budgets of network calls, and a markdown table.
#pragma once

#include "core/error.h"
#include "core/schedulers/scheduler.h"

#include <cstdio>
#include <string>
#include <vector>

namespace voldiff::benchmark {

inline const std::vector<std::int64_t> budgets = {5, 8, 10, 15, 20, 30};

// The most steps that a budget of network calls allows, 0 where it allows none. Leaves `scheduler` with them.
inline std::int64_t steps_within(Scheduler& scheduler, std::int64_t calls, std::int64_t latent_voxels) {
    for (std::int64_t steps = calls; steps > 0; --steps) {
        try {
            scheduler.set_timesteps(steps, latent_voxels);
        } catch (const Error&) {
            continue;  // a scheduler may want some steps to begin with
        }
        if (scheduler.timesteps().numel() <= calls) return steps;
    }
    return 0;
}

struct Row {
    std::string name;
    std::vector<std::string> cells;  // one a budget
};

inline void print_table(const std::string& title, const std::vector<Row>& rows) {
    std::printf("\n%s\n\n| network calls |", title.c_str());
    for (const std::int64_t calls : budgets) std::printf(" %ld |", static_cast<long>(calls));
    std::printf("\n| --- |");
    for (std::size_t i = 0; i < budgets.size(); ++i) std::printf(" --- |");
    for (const Row& row : rows) {
        std::printf("\n| %s |", row.name.c_str());
        for (const std::string& cell : row.cells) std::printf(" %s |", cell.c_str());
    }
    std::printf("\n");
}

inline std::string number(double value, const char* format) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

}  // namespace voldiff::benchmark

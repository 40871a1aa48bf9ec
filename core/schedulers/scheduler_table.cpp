#include "core/schedulers/ddpm.h"
#include "core/schedulers/rflow.h"
#include "core/schedulers/scheduler.h"

#include "core/error.h"

namespace voldiff {

const std::vector<SchedulerEntry>& scheduler_table() {
    static const std::vector<SchedulerEntry> table = {
        {"rflow", "RFlowScheduler", "rectified flow", [] { return std::make_unique<RFlowScheduler>(); }},
        {"ddpm", "DDPMScheduler", "ancestral sampling", [] { return std::make_unique<DDPMScheduler>(); }},
    };
    return table;
}

const SchedulerEntry& find_scheduler(const std::string& name) {
    const std::string last = name.substr(name.rfind('.') + 1);
    std::string known;
    for (const SchedulerEntry& entry : scheduler_table()) {
        if (last == entry.name || last == entry.target) return entry;
        known += (known.empty() ? "" : ", ") + entry.name + " (" + entry.target + ")";
    }
    throw Error(ErrorCode::config, "unknown scheduler '" + name + "'; known here: " + known);
}

}  // namespace voldiff

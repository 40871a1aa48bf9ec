#include "core/schedulers/ddim.h"
#include "core/schedulers/ddpm.h"
#include "core/schedulers/dpmpp_2m.h"
#include "core/schedulers/pndm.h"
#include "core/schedulers/rflow.h"
#include "core/schedulers/rflow_ab2.h"
#include "core/schedulers/rflow_heun.h"
#include "core/schedulers/scheduler.h"
#include "core/schedulers/unipc.h"

#include "core/error.h"

namespace voldiff {

namespace {

template <class Kind>
std::unique_ptr<Scheduler> make() {
    return std::make_unique<Kind>();
}

}  // namespace

const std::vector<SchedulerEntry>& scheduler_table() {
    static const std::vector<SchedulerEntry> table = {
        {"rflow", "RFlowScheduler", "rectified flow, as MONAI", make<RFlowScheduler>},
        {"rflow_heun", "RFlowHeunScheduler", "rectified flow, Heun: two network calls a step",
         make<RFlowHeunScheduler>},
        {"rflow_ab2", "RFlowAB2Scheduler", "rectified flow, second-order multistep", make<RFlowAB2Scheduler>},
        {"ddpm", "DDPMScheduler", "ancestral sampling", make<DDPMScheduler>},
        {"ddim", "DDIMScheduler", "implicit models, first order", make<DDIMScheduler>},
        {"pndm", "PNDMScheduler", "pseudo numerical methods, fourth order", make<PNDMScheduler>},
        {"dpmpp_2m", "DPMSolverPP2MScheduler", "DPM-Solver++, second-order multistep", make<DPMSolverPP2MScheduler>},
        {"unipc", "UniPCScheduler", "UniPC, predictor and corrector", make<UniPCScheduler>},
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

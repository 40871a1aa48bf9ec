// A run of a batch before it is made: its model loaded and each network called once or twice on this machine, for what
// the run will need.
#pragma once

#include "app/batch/jobs.h"
#include "app/commands/commands.h"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace voldiff {

struct Estimate {
    double seconds = 0;  // of a run whose model is loaded; the writing, which goes on beside the next run, not
    double memory = 0;   // bytes resident at most
};

// Extents of at most `extents` whose work is no more than `most`, halved along the longest axis as often as that needs,
// in multiples of `multiple`: the largest that are found so, or the smallest that there are.
Extents affordable_extents(Extents extents, std::int64_t multiple, double most,
                           const std::function<double(const Extents&)>& work);

class Rehearsal {
  public:
    Rehearsal(std::shared_ptr<ModelStore> store, Context& context, bool beyond_training);

    // Calls each network for the run's own latent, or, where that takes more than about a second, for a smaller one,
    // and scales by the work. Of runs that try masks: with the first. Throws what keeps the run from being made, as
    // weights that do not fit its networks.
    Estimate of(const Job& job);

  private:
    std::shared_ptr<ModelStore> store_;
    Log log_;
    Context context_;
    bool beyond_training_;
};

// By kind (see Work): of all jobs whose kind no journal tells of. What is found to be wrong with a kind becomes the
// problem of its jobs.
std::map<std::string, Estimate> rehearse(std::vector<Job>& jobs, const std::set<std::string>& known,
                                         Rehearsal& rehearsal, Context& context);

}  // namespace voldiff

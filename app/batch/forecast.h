// How long runs will take and what memory they need, before the first one starts.
#pragma once

#include "app/batch/jobs.h"
#include "app/batch/journal.h"

#include <map>
#include <string>
#include <vector>

namespace voldiff {

struct Forecast {
    double seconds = 0;
    double memory = 0;   // bytes
    std::string source;  // "measured", "scaled" or "rough"
};

class Forecaster {
  public:
    // From what journals say of runs that are done.
    explicit Forecaster(const std::vector<JournalEvent>& events);

    // Time: the mean of runs of the same kind (measured); else latent voxels x steps x weights, in proportion to the
    // runs that are done (scaled), or to the demo model on one core of 2020 with the cores of this machine (rough:
    // right within some factor). Memory: the most that a run of the kind took, else the decoder's prediction, the
    // weights and 0.3 GB for the program.
    Forecast of(const Work& work) const;

  private:
    struct Sum {
        double seconds = 0, work = 0, memory = 0;
        std::size_t count = 0;
    };
    void add(Sum& sum, const JournalEvent& event);

    std::map<std::string, Sum> kinds_;
    Sum all_;
};

// The amount of work of a run: latent voxels x steps x weights.
double work_units(const Work& work);

}  // namespace voldiff

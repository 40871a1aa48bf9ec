// How long runs will take and what memory they need, before the first one starts.
#pragma once

#include "app/batch/jobs.h"
#include "app/batch/journal.h"
#include "app/batch/rehearsal.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace voldiff {

struct Forecast {
    double seconds = 0;
    double memory = 0;   // bytes; 0: unknown
    std::string source;  // "measured", "tried", "scaled" or "unknown"
};

class Forecaster {
  public:
    // From what journals say of runs that are done, and from rehearsals, by kind (see Work).
    explicit Forecaster(const std::vector<JournalEvent>& events, std::map<std::string, Estimate> estimates = {});

    // The mean time and the largest memory of runs of the same kind (measured); else its rehearsal (tried); else the
    // time in proportion to the runs that are done, by latent voxels x steps x weights (scaled).
    Forecast of(const Work& work) const;
    // The kinds that journals tell of.
    std::set<std::string> measured() const;

  private:
    struct Sum {
        double seconds = 0, work = 0, memory = 0;
        std::size_t count = 0;
    };
    void add(Sum& sum, const JournalEvent& event);

    std::map<std::string, Sum> kinds_;
    std::map<std::string, Estimate> estimates_;
    Sum all_;
};

// The amount of work of a run: latent voxels x steps x weights.
double work_units(const Work& work);

}  // namespace voldiff

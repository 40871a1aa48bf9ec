// The steps that run configs and MAISI's files share. Internal to io/config.
#pragma once

#include "io/config/problems.h"
#include "io/config/run_config.h"
#include "io/config/scheduler_config.h"

namespace voldiff {

constexpr const char* empty_anatomy_list =
    "'mask.anatomy_list' is empty, expected the labels that the mask shall have, as [liver]";

// All sections but `network`, as a group.
class RunSections : public OptionGroup {
  public:
    explicit RunSections(RunConfig& run) : run_(run) {}
    void visit_options(OptionVisitor& visitor) override { run_.visit_sections(visitor); }

  private:
    RunConfig& run_;
};

// One map of all overrides, a `network: path` among them read.
Node overrides_to_map(const std::vector<Override>& overrides);

// Key paths of all options, to propose where a key is at the wrong place.
std::vector<std::string> run_option_paths();

// Adds what single options cannot know: values that contradict each other, names, the scheduler.
void check_run(const RunConfig& run, const SchedulerPaths& paths, const Mark& file, Problems& problems);

}  // namespace voldiff

// The mask of a run, from its file to what the ControlNet takes.
#pragma once

#include "io/config/run_config.h"
#include "io/model/model.h"
#include "io/volume/volume.h"

#include <filesystem>
#include <vector>

namespace voldiff {

struct MaskInput {
    std::filesystem::path path;
    Volume mask;  // in RAS, MAISI's labels, of the run's size and spacing, or its own where the run says none
    std::vector<LoadNote> notes;
};

// Reads `run.mask`: maps its values, adds the body, checks the vocabulary, reorients and resamples. What resampling
// took away is noted. Throws Error(config) for labels that the networks do not know, with their counts, or grids that
// differ; Error(io) for files that cannot be read.
MaskInput load_mask(const RunConfig& run);

}  // namespace voldiff

// Two run configs that are to be compared: how the second comes from the first, and what differs between them.
#pragma once

#include "app/table.h"
#include "io/config/run_config.h"

#include <string>
#include <vector>

namespace voldiff {

// The overrides that flip options which are true or false. `keys`: key paths below `network`, as
// "diffusion_unet_def.include_fc". Throws Error(usage) for another key, with the nearest one or all there are.
std::vector<Override> flipped_options(RunConfig& run, const std::vector<std::string>& keys);

// [{"key": "network.diffusion_unet_def.include_fc", "a": true, "b": false}]; weight files as absolute paths, files of
// the output left out. Throws as `resolve_weight`.
Report config_differences(RunConfig a, RunConfig b);

// Throws Error(config), naming them all, where the configs differ in what makes voxels comparable: size and spacing of
// the image, and CT or MR.
void check_comparable(const RunConfig& a, const std::string& name_a, const RunConfig& b, const std::string& name_b);

// Whether the run makes MR volumes.
bool makes_mr(const RunConfig& run);

}  // namespace voldiff

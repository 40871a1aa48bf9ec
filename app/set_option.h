// `--set KEY=VALUE` of the commands that take run configs.
#pragma once

#include "io/config/run_config.h"

#include <CLI/App.hpp>

#include <string>
#include <vector>

namespace voldiff {

// Declares a flag like --set on the parser: repeatable, one KEY=VALUE each.
CLI::Option* add_set_option(CLI::App& parser, const std::string& flag, std::vector<std::string>& sets,
                            const std::string& help);

// One override for each "key.path=value", with `flag` as its origin. Throws Error(usage) for other text.
std::vector<Override> set_overrides(const std::vector<std::string>& sets, const std::string& flag);

}  // namespace voldiff

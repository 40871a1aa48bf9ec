// Flags of their own for options of a run that are often changed; help, unit, range and default are the option's.
#pragma once

#include "io/config/run_config.h"

#include <CLI/App.hpp>

#include <map>
#include <string>
#include <vector>

namespace voldiff {

struct NamedFlag {
    const char* flag;
    const char* path;
    bool is_path = false;    // taken as it is, not as YAML
    bool is_switch = false;  // takes no value, means true
};

using FlagWords = std::map<std::string, std::vector<std::string>>;  // key path -> what was given

// Declares the flags on the parser; they fill `words`, which must outlive the parsing.
void add_named_flags(CLI::App& parser, const std::vector<NamedFlag>& flags, FlagWords& words);

// One override for each flag that was given.
std::vector<Override> flag_overrides(const std::vector<NamedFlag>& flags, const FlagWords& words);

}  // namespace voldiff

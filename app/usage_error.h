// Messages about the command line.
#pragma once

#include "core/error.h"

#include <CLI/App.hpp>

namespace voldiff {

// What was wrong with the arguments that `root` failed to parse: first the arguments nobody knows, with the nearest
// name that is known, else what the parser says.
Error usage_error(const CLI::App& root, const CLI::ParseError& error);

}  // namespace voldiff

// From the command line to a command.
#pragma once

#include "app/cancel.h"
#include "app/log.h"

namespace voldiff {

// Parses the arguments, sets the level of `log` and runs the command; without a command, or with --help or --version,
// prints to stdout. Throws Error(usage) for anything the commands do not declare, with the nearest name, and whatever
// the command throws.
void run_program(int argc, const char* const* argv, Log& log, const Cancel& cancel);

}  // namespace voldiff

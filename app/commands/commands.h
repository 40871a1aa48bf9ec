// The subcommands. A new one is a source file here, a line below and a line in commands.cpp.
#pragma once

#include "app/cancel.h"
#include "app/log.h"

#include <CLI/App.hpp>

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace voldiff {

// What a command works with.
struct Context {
    Log& log;              // for people
    const Cancel& cancel;  // to look at between steps
    std::ostream& out;     // for results: paths that were written, or JSON
};

using Action = std::function<void(Context&)>;

struct Command {
    std::string name;
    std::string help;                   // one line
    std::vector<std::string> examples;  // arguments of `voldiff NAME`
    // Declares the options on the parser and returns what to do once they are parsed. Values live in the returned
    // action.
    Action (*add)(CLI::App& parser);
    std::string (*more_help)() = nullptr;  // between the options and the examples
};

// In the order of the help.
const std::vector<Command>& commands();

Action add_convert(CLI::App& parser);
Action add_export_torchscript(CLI::App& parser);
Action add_batch(CLI::App& parser);
Action add_compare(CLI::App& parser);
Action add_encode(CLI::App& parser);
Action add_decode(CLI::App& parser);
Action add_generate(CLI::App& parser);
std::string scheduler_help();  // the samplers that sampling.scheduler may name
Action add_doctor(CLI::App& parser);
Action add_inspect(CLI::App& parser);

}  // namespace voldiff

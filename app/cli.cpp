#include "app/cli.h"

#include "app/commands/commands.h"
#include "app/exit_codes.h"
#include "app/usage_error.h"
#include "core/text.h"

#include <CLI/CLI.hpp>

#include <iomanip>
#include <iostream>
#include <sstream>

namespace voldiff {

namespace {

struct GlobalOptions {
    bool quiet = false;
    std::string level = log_level_names()[static_cast<std::size_t>(LogLevel::info)];
};

// On every parser, so that they may stand before and after the command.
void add_global_options(CLI::App& parser, GlobalOptions& options) {
    parser.set_help_flag("-h,--help", "show this help and stop")->group("General");
    parser.set_version_flag("--version", "voldiff " VOLDIFF_VERSION, "show the version and stop")->group("General");
    parser.add_flag("-q,--quiet", options.quiet, "only errors on stderr")->group("General");
    parser.add_option("--log-level", options.level, "least important messages shown: " + join(log_level_names()))
        ->type_name("LEVEL")
        ->capture_default_str()
        ->check(CLI::IsMember(log_level_names()).description(""))
        ->group("General");
}

std::string exit_code_help() {
    std::ostringstream text;
    text << "Exit codes:\n";
    for (const ExitCode& code : exit_codes())
        text << "  " << std::setw(3) << code.status << "  " << code.meaning << "\n";
    return text.str();
}

std::string example_line(const Command& command, const std::string& arguments) {
    return "  voldiff " + command.name + (arguments.empty() ? "" : " ") + arguments + "\n";
}

std::string footer_of(const Command& command) {
    std::string text = command.more_help ? command.more_help() + "\n" : "";
    text += "Examples:\n";
    for (const std::string& example : command.examples) text += example_line(command, example);
    return text + "\n" + exit_code_help();
}

std::string root_footer() {
    std::string text = "Examples:\n";
    for (const Command& command : commands()) text += example_line(command, command.examples.front());
    return text + "\n'voldiff COMMAND --help' shows the options of a command.\n\n" + exit_code_help();
}

struct Choice {
    CLI::App* parser;
    Action action;
};

std::vector<Choice> add_commands(CLI::App& root, GlobalOptions& options) {
    std::vector<Choice> choices;
    for (const Command& command : commands()) {
        CLI::App* parser = root.add_subcommand(command.name, command.help)->group("Commands");
        choices.push_back({parser, command.add(*parser)});
        add_global_options(*parser, options);
        parser->footer(footer_of(command));
    }
    return choices;
}

// False where the arguments asked for text only, which is then printed.
bool parse(CLI::App& root, int argc, const char* const* argv) {
    try {
        root.parse(argc, argv);
        if (!root.get_subcommands().empty()) return true;
        std::cout << root.help();
    } catch (const CLI::CallForHelp&) {
        std::cout << root.help();  // of the chosen command
    } catch (const CLI::CallForVersion& version) {
        std::cout << version.what() << "\n";
    } catch (const CLI::ParseError& error) {
        throw usage_error(root, error);
    }
    return false;
}

}  // namespace

void run_program(int argc, const char* const* argv, Log& log, const Cancel& cancel) {
    CLI::App root("Synthetic CT and MR volumes by 3D latent diffusion.", "voldiff");
    root.get_formatter()->column_width(34);
    root.require_subcommand(0, 1);
    GlobalOptions options;
    add_global_options(root, options);
    const std::vector<Choice> choices = add_commands(root, options);
    root.footer(root_footer());
    if (!parse(root, argc, argv)) return;
    log.set_level(options.quiet ? LogLevel::error : log_level(options.level));
    Context context{log, cancel, std::cout};
    for (const Choice& choice : choices)
        if (choice.parser->parsed()) choice.action(context);
}

}  // namespace voldiff

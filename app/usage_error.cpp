#include "app/usage_error.h"

#include "core/text.h"

#include <cctype>

namespace voldiff {

namespace {

const CLI::App& chosen(const CLI::App& root) {
    const auto commands = root.get_subcommands();
    return commands.empty() ? root : *commands.front();
}

std::vector<std::string> option_names(const CLI::App& parser) {
    std::vector<std::string> names;
    for (const CLI::Option* option : parser.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
        for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    }
    return names;
}

std::vector<std::string> command_names(const CLI::App& root) {
    std::vector<std::string> names;
    for (const CLI::App* command : root.get_subcommands({})) names.push_back(command->get_name());
    return names;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& names) {
    const std::string name = nearest(word, names);
    return name.empty() ? "" : "; did you mean '" + name + "'?";
}

std::string about_unknown(const CLI::App& root, const CLI::App& parser, const std::string& argument) {
    if (argument.size() > 1 && argument[0] == '-') {
        const std::string name = argument.substr(0, argument.find('='));
        return "unknown option '" + name + "'" + suggestion(name, option_names(parser));
    }
    if (&parser != &root) return "unexpected argument '" + argument + "'";
    return "unknown command '" + argument + "'" + suggestion(argument, command_names(root));
}

// "Could not convert: --steps = 12abc" says less than it could.
std::string about_value(std::string text) {
    const std::string parser_text = "Could not convert: ";
    const std::size_t equals = text.find(" = ");
    if (text.compare(0, parser_text.size(), parser_text) == 0 && equals != std::string::npos)
        return text.substr(parser_text.size(), equals - parser_text.size()) + ": cannot read '" +
               text.substr(equals + 3) + "' as a number";
    if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0)
        text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    return text;
}

}  // namespace

Error usage_error(const CLI::App& root, const CLI::ParseError& error) {
    const CLI::App& parser = chosen(root);
    std::string text = about_value(error.what());
    for (const CLI::App* each : {&parser, &root})
        if (const auto unknown = each->remaining(); !unknown.empty())
            text = about_unknown(root, *each, unknown.front());
    if (text.find("did you mean") == std::string::npos)
        text += "\nsee 'voldiff " + (&parser == &root ? "" : parser.get_name() + " ") + "--help'";
    return {ErrorCode::usage, text};
}

}  // namespace voldiff

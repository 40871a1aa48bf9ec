#include "app/named_flags.h"

#include "core/error.h"
#include "io/config/print.h"

#include <algorithm>

namespace voldiff {

namespace {

std::string flag_help(const OptionRow& row) {
    std::string help = row.help;
    if (!row.unit.empty()) help += " [" + row.unit + "]";
    if (!row.range.empty()) help += " (" + row.range + ")";
    return help + ", default " + row.default_value;
}

void add_named_flag(CLI::App& parser, const NamedFlag& flag, const OptionRow& row, std::vector<std::string>& words) {
    if (flag.is_switch) {
        parser
            .add_flag_callback(
                flag.flag, [&words] { words = {"true"}; }, row.help)
            ->group("Run");
        return;
    }
    const bool three = row.type.rfind("3 ", 0) == 0;
    CLI::Option* option = parser.add_option(flag.flag, words, flag_help(row));
    option->group("Run")->type_name(three ? "X Y Z" : row.type)->expected(three ? 3 : 1);
}

// Words of the command line as YAML.
std::string value_of(const std::vector<std::string>& words) {
    if (words.size() == 1) return words.front();
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "[" : ", ") + word;
    return list + "]";
}

}  // namespace

void add_named_flags(CLI::App& parser, const std::vector<NamedFlag>& flags, FlagWords& words) {
    RunConfig defaults;
    const std::vector<OptionRow> rows = option_rows(defaults);
    for (const NamedFlag& flag : flags) {
        const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.path == flag.path; });
        if (row == rows.end()) throw Error(ErrorCode::internal, std::string("no option ") + flag.path);
        add_named_flag(parser, flag, *row, words[flag.path]);
    }
}

std::vector<Override> flag_overrides(const std::vector<NamedFlag>& flags, const FlagWords& words) {
    std::vector<Override> overrides;
    for (const NamedFlag& flag : flags) {
        const std::vector<std::string>& given = words.at(flag.path);
        if (!given.empty()) overrides.push_back({flag.path, value_of(given), flag.flag, flag.is_path});
    }
    return overrides;
}

}  // namespace voldiff

#include "app/set_option.h"

#include "core/error.h"

namespace voldiff {

namespace {

[[noreturn]] void refuse(const std::string& flag, const std::string& set) {
    throw Error(ErrorCode::usage, flag + " is '" + set + "', expected key.path=value, as in sampling.steps=50");
}

}  // namespace

CLI::Option* add_set_option(CLI::App& parser, const std::string& flag, std::vector<std::string>& sets,
                            const std::string& help) {
    return parser.add_option(flag, sets, help)
        ->group("Run")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::vector<Override> set_overrides(const std::vector<std::string>& sets, const std::string& flag) {
    std::vector<Override> overrides;
    for (const std::string& set : sets) {
        const std::size_t equals = set.find('=');
        if (equals == 0 || equals == std::string::npos) refuse(flag, set);
        overrides.push_back({set.substr(0, equals), set.substr(equals + 1), flag});
    }
    return overrides;
}

}  // namespace voldiff

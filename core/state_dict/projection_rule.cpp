#include "core/error.h"
#include "core/state_dict/adapt.h"

namespace voldiff {

namespace {

const std::vector<std::pair<std::string, ProjectionRule>>& projection_rules() {
    static const std::vector<std::pair<std::string, ProjectionRule>> table = {
        {"as_saved", ProjectionRule::as_saved},
        {"identity", ProjectionRule::identity},
        {"apply", ProjectionRule::apply},
        {"drop", ProjectionRule::drop},
    };
    return table;
}

}  // namespace

const std::vector<std::string>& projection_rule_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const auto& [name, rule] : projection_rules()) all.push_back(name);
        return all;
    }();
    return names;
}

ProjectionRule projection_rule(const std::string& name) {
    for (const auto& [known, rule] : projection_rules()) {
        if (known == name) return rule;
    }
    throw Error(ErrorCode::config, "unknown projection rule '" + name + "'");
}

}  // namespace voldiff

#include "io/config/modality.h"

#include "core/error.h"
#include "core/text.h"
#include "io/config/scalar.h"
#include "io/config/yaml.h"
#include "io/system/system.h"

namespace voldiff {

std::vector<std::pair<std::string, std::int64_t>> modality_table() {
    const Node root = load_yaml(data_directory() / "labels" / "modality_mapping.json");
    std::vector<std::pair<std::string, std::int64_t>> table;
    for (const NodeEntry& entry : root.entries) {
        const auto code = parse_integer(entry.value.text);
        if (!code) {
            throw Error(ErrorCode::config, entry.value.mark.text() + ": the code of '" + entry.key + "' is " +
                                               describe(entry.value) + ", expected an integer");
        }
        table.emplace_back(entry.key, *code);
    }
    if (table.empty()) throw Error(ErrorCode::config, root.mark.text() + ": expected a map of names and codes");
    return table;
}

std::int64_t modality_code(const std::string& name_or_code) {
    const auto code = parse_integer(name_or_code);
    if (code && *code >= 0) return *code;
    std::vector<std::string> names;
    for (const auto& [name, value] : modality_table()) {
        if (name == name_or_code) return value;
        names.push_back(name);
    }
    const std::string near = nearest(name_or_code, names);
    throw Error(ErrorCode::config, "unknown modality " + show_text(name_or_code) +
                                       (near.empty() ? "" : "; did you mean '" + near + "'?") +
                                       " (known: " + join(names) + ", or a code)");
}

}  // namespace voldiff

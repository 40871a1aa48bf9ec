// Writes the options of a config struct: as YAML for people, as JSON for sidecars, and as tables for `--help` and the
// documentation. What is written reads back to exactly the same values.
#pragma once

#include "core/option.h"
#include "io/config/node.h"
#include "io/config/reader.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace voldiff {

// The options as a tree; the marks come from `origins`, and are empty for defaults. Groups are only read.
Node to_node(OptionGroup& group, const Origins& origins = {});

// One line a value, with its origin behind it: "  steps: 50    # configs/x.yaml:12:10", "# --steps", "# default".
std::string to_yaml(const Node& node, bool with_origins = true);
// On one line: "[64, 64, 32]".
std::string to_flow_yaml(const Node& node);
nlohmann::ordered_json to_json(const Node& node);

struct OptionRow {
    std::string path;   // "sampling.steps"
    std::string type;   // "integer", "list of numbers", "3 integers", "map", ...
    std::string unit;   // "mm" or ""
    std::string range;  // "1 to 1000", "auto, whole", or ""
    std::string default_value;
    std::string help;
};

// One row an option, groups flattened; `prefix` comes before the paths ("network."). The defaults are what `group`
// holds.
std::vector<OptionRow> option_rows(OptionGroup& group, const std::string& prefix = "");

// | key | type | range | default | what it is |
std::string markdown_table(const std::vector<OptionRow>& rows);

}  // namespace voldiff

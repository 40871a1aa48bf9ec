#include "io/config/print.h"

#include "io/config/scalar.h"

#include <algorithm>

namespace voldiff {

namespace {

constexpr std::size_t comment_column = 44;

// The text of a scalar as YAML. Numbers and words that were written without quotes stay without.
std::string scalar_text(const Node& node) {
    const bool plain = !node.quoted && (parse_number(node.text) || parse_bool(node.text));
    return plain ? node.text : quote_if_needed(node.text);
}

void write_line(std::string line, const Mark& mark, bool with_origins, std::string& text) {
    if (with_origins) {
        line.append(line.size() < comment_column ? comment_column - line.size() : 2, ' ');
        std::string origin = mark.text();
        std::replace_if(
            origin.begin(), origin.end(), [](unsigned char c) { return c < 0x20; }, '?');
        line += "# " + origin;
    }
    text += line + "\n";
}

void write_map(const Node& map, const std::string& indent, bool with_origins, std::string& text) {
    for (const NodeEntry& entry : map.entries) {
        const std::string key = indent + quote_if_needed(entry.key) + ":";
        if (entry.value.kind == NodeKind::map && !entry.value.entries.empty()) {
            text += key + "\n";
            write_map(entry.value, indent + "  ", with_origins, text);
        } else {
            write_line(key + " " + to_flow_yaml(entry.value), entry.value.mark, with_origins, text);
        }
    }
}

std::string escape_cell(const std::string& text) {
    std::string escaped;
    for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
    return escaped;
}

std::string code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

}  // namespace

std::string to_flow_yaml(const Node& node) {
    if (node.kind == NodeKind::scalar) return scalar_text(node);
    std::string text;
    for (const Node& item : node.items) text += (text.empty() ? "" : ", ") + to_flow_yaml(item);
    for (const NodeEntry& entry : node.entries) {
        text += (text.empty() ? "" : ", ") + quote_if_needed(entry.key) + ": " + to_flow_yaml(entry.value);
    }
    if (node.kind == NodeKind::sequence) return "[" + text + "]";
    return node.kind == NodeKind::map ? "{" + text + "}" : "null";
}

std::string to_yaml(const Node& node, bool with_origins) {
    std::string text;
    if (node.kind == NodeKind::map && !node.entries.empty()) {
        write_map(node, "", with_origins, text);
    } else {
        write_line(to_flow_yaml(node), node.mark, with_origins, text);
    }
    return text;
}

nlohmann::ordered_json to_json(const Node& node) {
    nlohmann::ordered_json json;
    if (node.kind == NodeKind::sequence) json = nlohmann::ordered_json::array();
    if (node.kind == NodeKind::map) json = nlohmann::ordered_json::object();
    for (const Node& item : node.items) json.push_back(to_json(item));
    for (const NodeEntry& entry : node.entries) json[entry.key] = to_json(entry.value);
    if (node.kind != NodeKind::scalar) return json;
    if (node.quoted) return node.text;
    if (const auto integer = parse_integer(node.text)) return *integer;
    if (const auto number = parse_number(node.text)) return *number;
    if (const auto flag = parse_bool(node.text)) return *flag;
    return node.text;
}

std::string markdown_table(const std::vector<OptionRow>& rows) {
    std::string text = "| key | type | range | default | what it is |\n| --- | --- | --- | --- | --- |\n";
    for (const OptionRow& row : rows) {
        const std::string unit = row.unit.empty() ? "" : " (" + row.unit + ")";
        text += "| `" + row.path + "` | " + row.type + unit + " | " + escape_cell(row.range) + " | " +
                escape_cell(code(row.default_value)) + " | " + escape_cell(row.help) + " |\n";
    }
    return text;
}

}  // namespace voldiff

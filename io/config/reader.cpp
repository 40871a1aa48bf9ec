#include "io/config/reader.h"

#include "core/error.h"
#include "core/text.h"
#include "io/config/scalar.h"

#include <algorithm>
#include <type_traits>

namespace voldiff {

namespace {

template <class Value>
constexpr const char* noun() {
    if constexpr (std::is_same_v<Value, bool>) return "true or false";
    if constexpr (std::is_same_v<Value, std::int64_t>) return "an integer";
    if constexpr (std::is_same_v<Value, double>) return "a number";
    return "text";
}

template <class Value>
constexpr const char* plural() {
    if constexpr (std::is_same_v<Value, bool>) return "true or false values";
    if constexpr (std::is_same_v<Value, std::int64_t>) return "integers";
    if constexpr (std::is_same_v<Value, double>) return "numbers";
    return "texts";
}

template <class Value>
std::optional<Value> parse(const Node& node) {
    if (node.kind != NodeKind::scalar) return std::nullopt;
    if constexpr (std::is_same_v<Value, std::string>) {
        return node.text;
    } else {
        if (node.quoted) return std::nullopt;
        if constexpr (std::is_same_v<Value, bool>) return parse_bool(node.text);
        if constexpr (std::is_same_v<Value, std::int64_t>) return parse_integer(node.text);
        if constexpr (std::is_same_v<Value, double>) return parse_number(node.text);
    }
}

template <class Value>
bool allowed(const Option& option, const Value& value) {
    if constexpr (std::is_same_v<Value, std::string>) {
        return option.choices.empty() ||
               std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end();
    } else if constexpr (std::is_same_v<Value, bool>) {
        return true;
    } else {
        return static_cast<double>(value) >= option.minimum && static_cast<double>(value) <= option.maximum;
    }
}

std::string with_unit(const Option& option) { return option.unit.empty() ? "" : " (" + option.unit + ")"; }

// The last part of a key path.
std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

}  // namespace

OptionReader::OptionReader(const Node& map, std::string prefix, const ReadContext& context)
    : map_(map), prefix_(std::move(prefix)), context_(context) {}

// The option's node, or null where the map does not have it or has it in a broken way.
const Node* OptionReader::take(const Option& option) {
    known_.push_back(option.key);
    const Node* node = map_.find(option.key);
    if (!option.alias.empty()) {
        known_.push_back(option.alias);
        const Node* other = map_.find(option.alias);
        const bool both = node != nullptr && other != nullptr;
        if (both && node->mark.in_file() == other->mark.in_file()) {
            context_.problems->add(other->mark, "'" + prefix_ + option.alias + "' and '" + prefix_ + option.key +
                                                    "' are two names of one option; keep one");
        } else if (both && node->mark.in_file()) {
            node = other;  // the command line has the last word, whichever name it uses
        }
        if (node == nullptr) node = other;
    }
    if (node == nullptr) {
        if (option.required) {
            context_.problems->add(map_.mark,
                                   "'" + prefix_ + option.key + "' is missing: " + option.help + with_unit(option));
        }
        return nullptr;
    }
    if (context_.origins != nullptr) (*context_.origins)[prefix_ + option.key] = node->mark;
    return node->kind == NodeKind::broken ? nullptr : node;
}

void OptionReader::problem(const Node& node, const std::string& key, const std::string& expected) {
    context_.problems->add(node.mark, "'" + prefix_ + key + "' is " + describe(node) + ", expected " + expected);
}

template <class Value>
bool OptionReader::read(const Option& option, const std::string& key, const Node& node, Value& value) {
    if (node.kind == NodeKind::broken) return false;
    const std::optional<Value> found = parse<Value>(node);
    if (found && allowed(option, *found)) {
        value = *found;
        return true;
    }
    std::string hint;
    if (node.kind == NodeKind::scalar) hint = nearest(node.text, option.choices);
    if (!std::is_same_v<Value, std::string> && node.quoted && node.kind == NodeKind::scalar) {
        problem(node, key, describe_expected(option, noun<Value>()) + " without quotes");
    } else {
        problem(node, key,
                describe_expected(option, noun<Value>()) + with_unit(option) +
                    (hint.empty() ? "" : "; did you mean '" + hint + "'?"));
    }
    return false;
}

template <class Value>
void OptionReader::read_scalar(const Option& option, Value& value) {
    if (const Node* node = take(option)) read(option, option.key, *node, value);
}

template <class Value>
void OptionReader::read_optional(const Option& option, std::optional<Value>& value) {
    const Node* node = take(option);
    if (node == nullptr) return;
    Value found{};
    if (node->kind == NodeKind::null) {
        value.reset();
    } else if (read(option, option.key, *node, found)) {
        value = found;
    }
}

// False where an item is wrong; the problem is in the list then.
template <class Value>
bool OptionReader::read_items(const Option& option, const Node& node, std::vector<Value>& value) {
    std::vector<Value> found;
    bool good = true;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        Value item{};
        good = read(option, option.key + "[" + std::to_string(i) + "]", node.items[i], item) && good;
        found.push_back(item);
    }
    if (good) value = std::move(found);
    return good;
}

template <class Value>
void OptionReader::read_list(const Option& option, std::vector<Value>& value) {
    const Node* node = take(option);
    if (node == nullptr) return;
    if (node->kind == NodeKind::sequence) {
        read_items(option, *node, value);
    } else {
        problem(*node, option.key, std::string("a list of ") + plural<Value>() + with_unit(option));
    }
}

template <class Value>
void OptionReader::read_triple(const Option& option, std::array<Value, 3>& value) {
    const Node* node = take(option);
    if (node == nullptr) return;
    if (node->kind != NodeKind::sequence) {
        problem(*node, option.key, std::string("a list of 3 ") + plural<Value>() + with_unit(option));
    } else if (node->items.size() != 3) {
        context_.problems->add(node->mark, "'" + prefix_ + option.key + "' has " + std::to_string(node->items.size()) +
                                               (node->items.size() == 1 ? " entry" : " entries") + ", expected 3" +
                                               with_unit(option));
    } else {
        std::vector<Value> items;
        if (read_items(option, *node, items)) std::copy(items.begin(), items.end(), value.begin());
    }
}

void OptionReader::visit(const Option& option, bool& value) { read_scalar(option, value); }
void OptionReader::visit(const Option& option, std::int64_t& value) { read_scalar(option, value); }
void OptionReader::visit(const Option& option, double& value) { read_scalar(option, value); }
void OptionReader::visit(const Option& option, std::string& value) { read_scalar(option, value); }
void OptionReader::visit(const Option& option, std::optional<bool>& value) { read_optional(option, value); }
void OptionReader::visit(const Option& option, std::optional<std::int64_t>& value) { read_optional(option, value); }
void OptionReader::visit(const Option& option, std::optional<std::string>& value) { read_optional(option, value); }
void OptionReader::visit(const Option& option, std::vector<bool>& value) { read_list(option, value); }
void OptionReader::visit(const Option& option, std::vector<std::int64_t>& value) { read_list(option, value); }
void OptionReader::visit(const Option& option, std::vector<double>& value) { read_list(option, value); }
void OptionReader::visit(const Option& option, std::vector<std::string>& value) { read_list(option, value); }
void OptionReader::visit(const Option& option, std::array<std::int64_t, 3>& value) { read_triple(option, value); }
void OptionReader::visit(const Option& option, std::array<double, 3>& value) { read_triple(option, value); }

void OptionReader::visit(const Option& option, PerLevel& value) {
    const Node* node = take(option);
    if (node == nullptr) return;
    PerLevel found;
    found.same_for_all = node->kind != NodeKind::sequence;
    std::int64_t one = 0;
    if (!found.same_for_all) {
        if (read_items(option, *node, found.values)) value = found;
    } else if (read(option, option.key, *node, one)) {
        value = PerLevel(one);
    }
}

void OptionReader::visit(const Option& option, RawOptions& value) {
    const Node* node = take(option);
    if (node == nullptr) return;
    if (node->kind == NodeKind::map || node->kind == NodeKind::null) {
        value.tree = node->kind == NodeKind::map ? *node : make_map(node->mark);
    } else {
        problem(*node, option.key, "a map");
    }
}

void OptionReader::visit(const Option& option, OptionMap& map) {
    const Node* node = take(option);
    if (node == nullptr) return;
    map.clear();
    if (node->kind == NodeKind::null) return;
    if (node->kind != NodeKind::map) return problem(*node, option.key, "a map");
    for (const NodeEntry& entry : node->entries) {
        read_options(map.add(entry.key), entry.value, prefix_ + option.key + "." + entry.key, context_);
    }
}

void OptionReader::visit(const Option& option, OptionGroup& group) {
    const Node* node = take(option);
    if (node == nullptr) return;
    read_options(group, node->kind == NodeKind::null ? make_map(node->mark) : *node, prefix_ + option.key, context_);
}

void OptionReader::unknown(const NodeEntry& entry) {
    std::string near = nearest(entry.key, known_);
    if (!near.empty()) near = prefix_ + near;
    for (const std::string& path : context_.other_paths) {
        if (near.empty() && last_part(path) == last_part(entry.key)) near = path;
    }
    context_.problems->add(entry.mark, "unknown key '" + prefix_ + show_text(entry.key).substr(1) +
                                           (near.empty() ? "" : "; did you mean '" + near + "'?"));
}

void OptionReader::finish(const std::set<std::string>& accepted) {
    for (const NodeEntry& entry : map_.entries) {
        const bool taken = std::find(known_.begin(), known_.end(), entry.key) != known_.end();
        if (!taken && accepted.count(entry.key) == 0) unknown(entry);
    }
}

void read_options(OptionGroup& group, const Node& map, const std::string& prefix, const ReadContext& context,
                  const std::set<std::string>& accepted) {
    if (map.kind == NodeKind::broken) return;
    if (map.kind != NodeKind::map) {
        context.problems->add(map.mark, (prefix.empty() ? "the file" : "'" + prefix + "'") + " is " + describe(map) +
                                            ", expected a map of options");
        return;
    }
    OptionReader reader(map, prefix.empty() ? "" : prefix + ".", context);
    try {
        group.visit_options(reader);
    } catch (const Error& e) {
        const Node* target = map.find("_target_");
        context.problems->add(target == nullptr ? map.mark : target->mark,
                              (prefix.empty() ? "" : "'" + prefix + "': ") + std::string(e.what()));
        return;
    }
    reader.finish(accepted);
}

}  // namespace voldiff

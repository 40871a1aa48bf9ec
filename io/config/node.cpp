#include "io/config/node.h"

#include "core/error.h"

#include <algorithm>

namespace voldiff {

namespace {

constexpr int max_levels = 16;  // of a key path

template <class Entries>
auto position(Entries& entries, const std::string& key) {
    return std::find_if(entries.begin(), entries.end(), [&](const NodeEntry& entry) { return entry.key == key; });
}

}  // namespace

std::string Mark::text() const {
    if (!source) return "default";
    if (line == 0) return *source;
    return *source + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Mark mark_of(std::string source, int line, int column) {
    return {std::make_shared<const std::string>(std::move(source)), line, column};
}

const Node* Node::find(const std::string& key) const {
    const auto found = position(entries, key);
    return found == entries.end() ? nullptr : &found->value;
}

Node* Node::find(const std::string& key) {
    const auto found = position(entries, key);
    return found == entries.end() ? nullptr : &found->value;
}

void Node::erase(const std::string& key) {
    const auto found = position(entries, key);
    if (found != entries.end()) entries.erase(found);
}

Node make_scalar(std::string text, Mark mark) {
    Node node;
    node.kind = NodeKind::scalar;
    node.text = std::move(text);
    node.mark = std::move(mark);
    return node;
}

Node make_map(Mark mark) {
    Node node;
    node.kind = NodeKind::map;
    node.mark = std::move(mark);
    return node;
}

Node merge(Node base, const Node& over) {
    if (base.kind != NodeKind::map || over.kind != NodeKind::map || over.whole) return over;
    base.mark = over.mark;
    for (const NodeEntry& entry : over.entries) {
        const auto found = position(base.entries, entry.key);
        if (found == base.entries.end()) {
            base.entries.push_back(entry);
        } else {
            found->mark = entry.mark;
            found->value = merge(std::move(found->value), entry.value);
        }
    }
    return base;
}

void set_path(Node& root, const std::string& path, Node value) {
    const Mark mark = value.mark;
    std::string rest = path;
    for (int level = 0; level < max_levels; ++level) {
        const std::size_t dot = rest.rfind('.');
        const std::string key = dot == std::string::npos ? rest : rest.substr(dot + 1);
        if (key.empty()) break;
        Node map = make_map(mark);
        map.entries.push_back({key, mark, std::move(value)});
        if (dot == std::string::npos) {
            root = merge(std::move(root), map);
            return;
        }
        value = std::move(map);
        rest.resize(dot);
    }
    throw Error(ErrorCode::config,
                mark.text() + ": '" + path.substr(0, 80) + "' is no key path, expected one like image.size");
}

std::size_t count_nodes(const Node& node) {
    std::size_t count = 1;
    for (const Node& item : node.items) count += count_nodes(item);
    for (const NodeEntry& entry : node.entries) count += count_nodes(entry.value);
    return count;
}

}  // namespace voldiff

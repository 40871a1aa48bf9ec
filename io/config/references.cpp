#include "io/config/references.h"

#include "core/error.h"
#include "core/text.h"
#include "io/config/scalar.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>

namespace voldiff {

namespace {

constexpr std::size_t max_nodes = 20000;
constexpr std::size_t max_depth = 64;

using Path = std::vector<std::string>;

// "a::b#0" -> {"a", "b", "0"}
Path split(const std::string& id) {
    Path parts(1);
    for (std::size_t i = 0; i < id.size(); ++i) {
        const bool separator = id[i] == '#' || id.compare(i, 2, "::") == 0;
        if (separator) {
            parts.emplace_back();
            if (id[i] == ':') ++i;
        } else {
            parts.back() += id[i];
        }
    }
    return parts;
}

// What a scalar refers to; nothing for plain text. As in MONAI, "@" counts only before a name that is all of the text.
std::optional<Path> reference_in(const std::string& text) {
    const std::size_t at = text.compare(0, 2, "$@") == 0 ? 1 : 0;
    if (text.size() <= at + 1 || text[at] != '@') return std::nullopt;
    Path parts = split(text.substr(at + 1));
    for (const std::string& part : parts) {
        const bool word =
            std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
        if (part.empty() || !word) return std::nullopt;
    }
    return parts;
}

class Resolver {
  public:
    Resolver(const Node& root, Problems& problems) : root_(root), problems_(problems) {}

    Node resolve(const Node& node, std::size_t depth) {
        if (++made_ > max_nodes || depth > max_depth) {
            throw Error(ErrorCode::config, node.mark.text() + ": references make this config too large");
        }
        if (node.kind == NodeKind::scalar) return resolve_scalar(node, depth);
        Node copy = node;
        for (Node& item : copy.items) item = resolve(item, depth + 1);
        for (NodeEntry& entry : copy.entries) entry.value = resolve(entry.value, depth + 1);
        return copy;
    }

    // A top-level value.
    Node resolve_key(const NodeEntry& entry) {
        open_.push_back(entry.key);
        Node resolved = resolve(entry.value, 1);
        open_.pop_back();
        return resolved;
    }

    std::set<std::string> named;

  private:
    Node resolve_scalar(const Node& node, std::size_t depth) {
        const std::optional<Path> path = reference_in(node.text);
        if (path) return follow(*path, node, depth);
        if (node.text.empty() || node.text.front() != '$') return node;
        return broken(node, "the expression " + show_text(node.text) +
                                " is not supported; only references like '@key' are, so write its value");
    }

    Node follow(const Path& path, const Node& from, std::size_t depth) {
        named.insert(path.front());
        const std::string id = join(path, "::");
        const Node* target = &root_;
        for (const std::string& part : path) {
            const Node* next = child(*target, part);
            if (next == nullptr) return broken(from, unknown(from.text, *target, part));
            target = next;
        }
        const auto first = std::find(open_.begin(), open_.end(), id);
        if (first != open_.end()) {
            const bool told = in_circle_.count(id) > 0;
            in_circle_.insert(first, open_.end());
            return broken(from, told ? "" : circle(id));
        }
        open_.push_back(id);
        Node resolved = resolve(*target, depth + 1);
        open_.pop_back();
        return resolved;
    }

    static const Node* child(const Node& node, const std::string& part) {
        if (node.kind != NodeKind::sequence) return node.find(part);
        const bool number =
            part.size() < 7 && std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c); });
        if (!number || std::stoul(part) >= node.items.size()) return nullptr;
        return &node.items[std::stoul(part)];
    }

    static std::string unknown(const std::string& text, const Node& node, const std::string& part) {
        std::vector<std::string> keys;
        for (const NodeEntry& entry : node.entries) keys.push_back(entry.key);
        const std::string near = nearest(part, keys);
        return show_text(text) + " refers to nothing: there is no " + show_text(part) +
               (near.empty() ? "" : "; did you mean '" + near + "'?");
    }

    std::string circle(const std::string& id) const {
        const auto first = std::find(open_.begin(), open_.end(), id);
        std::string text;
        for (auto member = first; member != open_.end(); ++member) text += "'" + *member + "' -> ";
        return "references in a circle: " + text + "'" + id + "'";
    }

    Node broken(const Node& node, const std::string& message) {
        if (!message.empty()) problems_.add(node.mark, message);
        Node copy;
        copy.kind = NodeKind::broken;
        copy.mark = node.mark;
        return copy;
    }

    const Node& root_;
    Problems& problems_;
    std::vector<std::string> open_;    // what is being resolved, outermost first
    std::set<std::string> in_circle_;  // what was told to refer to itself
    std::size_t made_ = 0;
};

}  // namespace

std::set<std::string> resolve_references(Node& root, Problems& problems) {
    Resolver resolver(root, problems);
    Node resolved = root;
    for (NodeEntry& entry : resolved.entries) entry.value = resolver.resolve_key(entry);
    root = std::move(resolved);
    return resolver.named;
}

std::set<std::string> resolve_references(Node& root, const std::string& key, Problems& problems) {
    const auto entry =
        std::find_if(root.entries.begin(), root.entries.end(), [&](const auto& e) { return e.key == key; });
    if (entry == root.entries.end()) return {};
    Resolver resolver(root, problems);
    Node resolved = resolver.resolve_key(*entry);
    entry->value = std::move(resolved);
    return resolver.named;
}

}  // namespace voldiff

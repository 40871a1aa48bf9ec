// A config file as a tree of values that remember where they were written, so that every message can say so.
//
//   Node root = parse_yaml("image: {size: [64, 64, 32]}", "x.yaml");
//   root.find("image")->find("size")->mark.text();  // "x.yaml:1:15"
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace voldiff {

// Where a value was written: a place in a file, or a command line option ("--set"), which has no line.
struct Mark {
    std::shared_ptr<const std::string> source;  // none: nothing wrote it
    int line = 0;                               // from 1; 0: no place in a file
    int column = 0;

    bool in_file() const { return source && line > 0; }
    std::string text() const;  // "configs/x.yaml:12:5", "--set", or "default"
};

Mark mark_of(std::string source, int line = 0, int column = 0);

enum class NodeKind {
    null,
    scalar,
    sequence,
    map,
    broken,  // its mistake was reported already
};

struct NodeEntry;

struct Node {
    NodeKind kind = NodeKind::null;
    std::string text;                // of a scalar
    bool quoted = false;             // a scalar in quotes is never a number, true or null
    bool whole = false;              // `merge` puts it in place of what it covers instead of merging
    std::vector<Node> items;         // of a sequence
    std::vector<NodeEntry> entries;  // of a map, in the order of the file
    Mark mark;

    const Node* find(const std::string& key) const;  // null where there is no such entry
    Node* find(const std::string& key);
    void erase(const std::string& key);
};

struct NodeEntry {
    std::string key;
    Mark mark;
    Node value;
};

Node make_scalar(std::string text, Mark mark = {});
Node make_map(Mark mark = {});

// `base` with what `over` says: maps merge, everything else is replaced.
Node merge(Node base, const Node& over);

// Merges a value into `root` at a key path like "image.size"; its mark becomes the mark of all that is new.
// Throws Error(config) for an empty part of the path and for more than 16 parts.
void set_path(Node& root, const std::string& path, Node value);

// Nodes of the tree, itself included.
std::size_t count_nodes(const Node& node);

}  // namespace voldiff

// Config files on disk: `extends`, and the places where a named file may be.
#pragma once

#include "io/config/node.h"

#include <filesystem>
#include <string>

namespace voldiff {

// The file that a value of a config names: relative to the file that says it (to the working directory for the command
// line), else among the shipped configs. Throws Error(io) that lists the places tried.
std::filesystem::path find_config(const std::string& name, const Mark& said_at);

// A map, merged over the file that its `extends: other.yaml` names, and so on. An empty file is an empty map.
// Throws as `load_yaml`, and Error(config) for no map, for files that extend each other in a circle, and for more than
// 16 of them.
Node load_config(const std::filesystem::path& file);

// A run config or the sidecar of an earlier run (a map with `voldiff` and `config`, the latter is taken). In every file
// of the chain a `network: path` is replaced by that file.
Node load_run_file(const std::filesystem::path& file);

// Replaces a path at `network` by the file's map, which then covers that of a base file whole.
void expand_network(Node& root);

}  // namespace voldiff

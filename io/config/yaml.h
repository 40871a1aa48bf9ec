// Text to `Node`. JSON is YAML, so MONAI's JSON files are read by the same function.
#pragma once

#include "io/config/node.h"

#include <filesystem>
#include <string>

namespace voldiff {

// Reads one document. `source` names it in marks and messages ("configs/x.yaml").
//
// Refused, with Error(config) and `source:line:column`: bad syntax, text that is not UTF-8, control characters, a key
// given twice in one map, keys that are no plain names, tags (`!!python/object`), a second document, more than 64
// levels and more than 20000 values after anchors were expanded.
Node parse_yaml(const std::string& text, const std::string& source);

// The value of a command line option: as above, but the marks have no line.
Node parse_option_value(const std::string& text, const std::string& source);
// A value that is taken as it is, a path for example; Error(config) where it is not UTF-8.
Node text_option_value(const std::string& text, const std::string& source);

// Reads a file of at most 16 MB. Throws Error(io) where it cannot be read, else as `parse_yaml`.
Node load_yaml(const std::filesystem::path& file);

}  // namespace voldiff

// MONAI's references between the values of one file.
//
//   latent_channels: 4
//   autoencoder_def: {latent_channels: "@latent_channels", roi: "$@inference::roi::0"}
//
// Source of the syntax: monai/bundle/reference_resolver.py (`::` is the separator, `#` the older one).
#pragma once

#include "io/config/node.h"
#include "io/config/problems.h"

#include <set>
#include <string>

namespace voldiff {

// Replaces the references below `root[key]`, or everywhere, by copies of what they name in `root`, and returns the
// top-level keys that they name. Adds to `problems`: a reference to nothing, with the nearest key; references in a
// circle, with all its members; any other `$expression`. What is wrong becomes a broken node.
std::set<std::string> resolve_references(Node& root, Problems& problems);
std::set<std::string> resolve_references(Node& root, const std::string& key, Problems& problems);

}  // namespace voldiff

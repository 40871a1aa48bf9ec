// Recognises the layout of a checkpoint from its names.
#pragma once

#include "core/blocks/module.h"
#include "core/state_dict/layout.h"
#include "core/state_dict/state_dict.h"

#include <set>
#include <string>
#include <vector>

namespace voldiff {

// The `wrapper_prefixes()` that stand before every name.
std::string wrapper_prefix(const StateDict& weights);

// What stands before every name of the checkpoint and is no part of the network's: `wrapper_prefix`, the
// attribute of a module that wraps the network ("ae."), or nothing.
std::string common_prefix(const Module& network, const StateDict& weights, const std::vector<KeyLayout>& layouts);

// The network's names, and those that its attention blocks would have with the other choices of use_combined_linear
// and include_fc.
std::vector<std::string> attention_names(const Module& network);

// `wanted`, or for "auto" the layout that explains most of `found`. Throws Error(weights) where two explain it in
// different ways, where `wanted` is none of `layouts`, or where the layout is one that the network refuses.
const KeyLayout& find_layout(const std::vector<std::string>& native, const std::set<std::string>& found,
                             const std::vector<KeyLayout>& layouts, const std::string& wanted);

}  // namespace voldiff

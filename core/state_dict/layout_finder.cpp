#include "core/state_dict/layout_finder.h"

#include "core/error.h"

#include <algorithm>
#include <map>

namespace voldiff {

namespace {

bool begins_with(const std::string& text, const std::string& start) {
    return text.compare(0, start.size(), start) == 0;
}

bool all_begin_with(const StateDict& weights, const std::string& prefix) {
    return std::all_of(weights.begin(), weights.end(),
                       [&prefix](const auto& item) { return begins_with(item.key(), prefix); });
}

std::string first_part(const std::string& name) {
    const std::size_t dot = name.find('.');
    return dot == std::string::npos ? "" : name.substr(0, dot + 1);
}

// Name in the checkpoint -> native name, for what the layout explains.
std::map<std::string, std::string> explain(const std::vector<std::string>& native, const std::set<std::string>& found,
                                           const KeyLayout& layout) {
    std::map<std::string, std::string> explained;
    for (const std::string& key : native) {
        const std::string name = layout.to_layout(key);
        if (found.count(name) != 0) explained.emplace(name, key);
    }
    return explained;
}

std::string names_of(const std::vector<KeyLayout>& layouts) {
    std::string names;
    for (const KeyLayout& layout : layouts) {
        if (layout.refusal.empty()) names += (names.empty() ? "" : ", ") + layout.name;
    }
    return names;
}

const KeyLayout& best_layout(const std::vector<std::string>& native, const std::set<std::string>& found,
                             const std::vector<KeyLayout>& layouts) {
    const KeyLayout* best = nullptr;
    std::map<std::string, std::string> explained;
    for (const KeyLayout& layout : layouts) {
        auto other = explain(native, found, layout);
        if (best != nullptr && other.size() == explained.size() && other != explained && other.size() == found.size()) {
            throw Error(ErrorCode::weights, "the names fit the layouts " + best->name + " and " + layout.name +
                                                " alike; say which by weights.layout");
        }
        if (best != nullptr && other.size() <= explained.size()) continue;
        best = &layout;
        explained = std::move(other);
    }
    return *best;
}

}  // namespace

std::string wrapper_prefix(const StateDict& weights) {
    std::string prefix;
    for (bool again = !weights.is_empty(); again;) {
        again = false;
        for (const std::string& wrapper : wrapper_prefixes()) {
            if (!all_begin_with(weights, prefix + wrapper)) continue;
            prefix += wrapper;
            again = true;
        }
    }
    return prefix;
}

std::string common_prefix(const Module& network, const StateDict& weights, const std::vector<KeyLayout>& layouts) {
    if (weights.is_empty()) return {};
    const std::string prefix = wrapper_prefix(weights);
    const std::string part = first_part(weights[0].key().substr(prefix.size()));
    if (part.empty() || !all_begin_with(weights, prefix + part)) return prefix;
    for (const auto& [key, tensor] : network.named_tensors()) {
        for (const KeyLayout& layout : layouts) {
            if (begins_with(layout.to_layout(key), part)) return prefix;
        }
    }
    return prefix + part;
}

std::vector<std::string> attention_names(const Module& network) {
    std::vector<std::string> names;
    std::set<std::string> known;
    const auto add = [&](const std::string& name) {
        if (known.insert(name).second) names.push_back(name);
    };
    for (const auto& [key, tensor] : network.named_tensors()) {
        add(key);
        for (const std::string first : {"to_q.weight", "qkv.weight"}) {
            const bool attention =
                key.size() >= first.size() && key.compare(key.size() - first.size(), first.size(), first) == 0;
            if (!attention) continue;
            const std::string block = key.substr(0, key.size() - first.size());
            for (const char* layer : {"to_q", "to_k", "to_v", "qkv", "out_proj"}) {
                for (const char* leaf : {".weight", ".bias"}) add(block + layer + leaf);
            }
        }
    }
    return names;
}

const KeyLayout& find_layout(const std::vector<std::string>& native, const std::set<std::string>& found,
                             const std::vector<KeyLayout>& layouts, const std::string& wanted) {
    const auto named =
        std::find_if(layouts.begin(), layouts.end(), [&](const auto& each) { return each.name == wanted; });
    if (wanted != "auto" && named == layouts.end()) {
        throw Error(ErrorCode::weights,
                    "weights.layout is '" + wanted + "', expected auto, " + names_of(layouts) + " for this network");
    }
    const KeyLayout& layout = wanted == "auto" ? best_layout(native, found, layouts) : *named;
    if (layout.refusal.empty()) return layout;
    throw Error(ErrorCode::weights,
                "the weights are in the layout of " + layout.help + ", which this network is not: " + layout.refusal);
}

}  // namespace voldiff

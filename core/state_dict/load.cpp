#include "core/state_dict/load.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace voldiff {

namespace {

constexpr std::size_t names_shown = 4;
const std::string data_parallel_prefix = "module.";

std::map<std::string, at::Tensor*> places_of(const Module& network) {
    std::map<std::string, at::Tensor*> places;
    for (const auto& [key, tensor] : network.named_tensors()) places[key] = tensor;
    return places;
}

bool starts_with(const std::string& text, const std::string& start) {
    return text.compare(0, start.size(), start) == 0;
}

bool is_data_parallel(const StateDict& weights) {
    if (weights.is_empty()) return false;
    return std::all_of(weights.begin(), weights.end(),
                       [](const auto& item) { return starts_with(item.key(), data_parallel_prefix); });
}

// "a.b.out_proj.weight" -> "a.b." where the network has an attention block there.
bool is_unused_projection(const std::string& name, const std::map<std::string, at::Tensor*>& places) {
    for (const char* projection : {"out_proj.weight", "out_proj.bias", "proj_attn.weight", "proj_attn.bias"}) {
        const std::string suffix = projection;
        if (name.size() < suffix.size() || name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0) {
            continue;
        }
        const std::string block = name.substr(0, name.size() - suffix.size());
        return (places.count(block + "qkv.weight") != 0 || places.count(block + "to_q.weight") != 0) &&
               places.count(block + "out_proj.weight") == 0;
    }
    return false;
}

std::string list_names(const std::vector<std::string>& names) {
    std::ostringstream text;
    for (std::size_t i = 0; i < std::min(names.size(), names_shown); ++i) text << (i == 0 ? "" : ", ") << names[i];
    if (names.size() > names_shown) text << ", and " << names.size() - names_shown << " more";
    return text.str();
}

bool any_projection(const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(),
                       [](const std::string& name) { return name.find("out_proj.") != std::string::npos; });
}

}  // namespace

std::string StateDictMatch::problem() const {
    if (exact()) return {};
    std::ostringstream text;
    text << "the weights do not fit the network";
    const auto add = [&text](const std::vector<std::string>& names, const char* what) {
        if (!names.empty()) text << "; " << names.size() << " " << what << " (" << list_names(names) << ")";
    };
    add(missing, "missing");
    add(unexpected, "unexpected");
    add(mis_shaped, "of another shape");
    text << "; " << matched << " fit\n";
    if (any_projection(missing)) {
        text << "the network has attention projections (include_fc: true) and the checkpoint has none; set include_fc "
                "as in the network file that the weights were trained with";
    } else {
        text << "expected the weights of exactly this network; check that network file and checkpoint belong together";
    }
    return text.str();
}

StateDictMatch match_state_dict(const Module& network, const StateDict& weights) {
    StateDictMatch match;
    match.data_parallel = is_data_parallel(weights);
    std::map<std::string, at::Tensor*> places = places_of(network);
    const std::map<std::string, at::Tensor*> all = places;
    for (const auto& item : weights) {
        const std::string name = match.data_parallel ? item.key().substr(data_parallel_prefix.size()) : item.key();
        const auto place = places.find(name);
        if (place == places.end()) {
            (is_unused_projection(name, all) ? match.unused_projections : match.unexpected).push_back(name);
            continue;
        }
        if (place->second->sizes() == item.value().sizes()) {
            ++match.matched;
        } else {
            std::ostringstream shapes;
            shapes << name << " " << item.value().sizes() << " instead of " << place->second->sizes();
            match.mis_shaped.push_back(shapes.str());
        }
        places.erase(place);
    }
    for (const auto& [name, tensor] : places) match.missing.push_back(name);
    return match;
}

StateDictMatch load_state_dict(Module& network, const StateDict& weights, const LoadTarget& target) {
    StateDictMatch match = match_state_dict(network, weights);
    if (!match.exact()) throw Error(ErrorCode::weights, match.problem());
    std::map<std::string, at::Tensor*> places = places_of(network);
    for (const auto& item : weights) {
        const std::string name = match.data_parallel ? item.key().substr(data_parallel_prefix.size()) : item.key();
        const auto place = places.find(name);
        if (place == places.end()) continue;  // an unused projection
        const at::Tensor& value = item.value();
        const at::ScalarType type = target.type.value_or(value.scalar_type());
        *place->second = value.to(target.device, type).contiguous();
    }
    return match;
}

}  // namespace voldiff

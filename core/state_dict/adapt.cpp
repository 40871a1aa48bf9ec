#include "core/state_dict/adapt.h"

#include "core/error.h"
#include "core/state_dict/layout_finder.h"
#include "core/state_dict/projections.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>

namespace voldiff {

namespace {

class Adapter {
  public:
    Adapter(const Module& network, const StateDict& weights, const AdaptOptions& options)
        : options_(options), prefix_(common_prefix(network, weights, options.layouts)) {
        for (const auto& [key, tensor] : network.named_tensors()) places_.emplace_back(key, tensor);
        for (const auto& [key, tensor] : places_) has_.insert(key);
        for (const auto& item : weights) source_.emplace(item.key().substr(prefix_.size()), item.value());
        layout_ = &find_layout(attention_names(network), source_names(), options.layouts, options.layout);
    }

    Adaptation run() {
        result_.layout = layout_->name;
        if (!prefix_.empty()) change("names: '" + prefix_ + "' taken off").names.resize(source_.size(), prefix_);
        for (const auto& [key, tensor] : places_) {
            if (auto value = resolve(key, *tensor)) insert(key, *tensor, *value);
        }
        for (const auto& [name, tensor] : source_) {
            if (used_.count(name) == 0) handle_rest(name);
        }
        return std::move(result_);
    }

  private:
    std::set<std::string> source_names() const {
        std::set<std::string> names;
        for (const auto& item : source_) names.insert(item.first);
        return names;
    }

    Change& change(const std::string& what, bool suspicious = false) {
        for (Change& known : result_.changes) {
            if (known.what == what) return known;
        }
        return result_.changes.emplace_back(Change{what, {}, suspicious});
    }

    // The checkpoint's tensor of a native name, marked as used.
    std::optional<at::Tensor> take(const std::string& native) {
        const std::string name = layout_->to_layout(native);
        const auto found = source_.find(name);
        if (found == source_.end()) return std::nullopt;
        used_.insert(name);
        if (name != native) change("names of layout '" + layout_->name + "' renamed (exact)").names.push_back(native);
        return found->second;
    }
    bool source_has(const std::string& native) const { return source_.count(layout_->to_layout(native)) != 0; }

    std::optional<at::Tensor> resolve(const std::string& key, const at::Tensor& place) {
        const auto parts = split_key(key);
        const bool self = parts && is_self_attention(parts->block);
        if (self && parts->layer == "out_proj") return resolve_projection(key, *parts, place);
        if (auto value = take(key)) return value;
        if (self && parts->layer == "qkv") return join(*parts);
        const auto& separate = separate_projections();
        if (self && std::find(separate.begin(), separate.end(), parts->layer) != separate.end()) return part(*parts);
        return std::nullopt;
    }

    std::optional<at::Tensor> join(const KeyParts& parts) {
        std::vector<at::Tensor> rows;
        for (const std::string& layer : separate_projections()) {
            if (!source_has(parts.with(layer))) return std::nullopt;
        }
        for (const std::string& layer : separate_projections()) rows.push_back(*take(parts.with(layer)));
        const auto joined = join_qkv(rows);
        if (!joined) return rows.front();  // of another shape, and reported so
        change("to_q, to_k, to_v joined into qkv (exact)").names.push_back(parts.with("qkv"));
        return joined;
    }

    std::optional<at::Tensor> part(const KeyParts& parts) {
        const auto joined = take(parts.with("qkv"));
        if (!joined) return std::nullopt;
        const auto rows = part_of_qkv(*joined, parts.layer);
        if (!rows) return joined;  // of another shape, and reported so
        change("qkv split into to_q, to_k, to_v (exact)").names.push_back(parts.with(parts.layer));
        return rows;
    }

    bool never_applied(const std::string& native) const {
        return layout_->projection_use(native) == ProjectionUse::never_applied;
    }

    // The network has a projection here.
    std::optional<at::Tensor> resolve_projection(const std::string& key, const KeyParts& parts,
                                                 const at::Tensor& place) {
        const bool saved = source_has(key);
        if (saved && !never_applied(key)) return take(key);
        if (options_.projection == ProjectionRule::identity) return identity(key, parts, place);
        if (!saved) return std::nullopt;
        auto value = take(key);
        if (options_.projection == ProjectionRule::apply) {
            change("projections that were never applied are applied: another function (weights.projection: apply)",
                   /*suspicious=*/true)
                .names.push_back(key);
            return value;
        }
        result_.refused.push_back(key);
        return std::nullopt;
    }

    std::optional<at::Tensor> identity(const std::string& key, const KeyParts& parts, const at::Tensor& place) {
        if (source_has(key)) used_.insert(layout_->to_layout(key));
        const bool square = place.dim() != 2 || place.size(0) == place.size(1);
        if (!square) return std::nullopt;
        change("projections put in that change nothing (exact)").names.push_back(key);
        return parts.leaf == "bias" ? at::zeros(place.sizes()) : at::eye(place.size(0));
    }

    void insert(const std::string& key, const at::Tensor& place, const at::Tensor& value) {
        if (place.sizes() == value.sizes()) {
            result_.weights.insert(key, value);
            return;
        }
        std::ostringstream shapes;
        shapes << key << " " << value.sizes() << " instead of " << place.sizes();
        result_.mis_shaped.push_back(shapes.str());
    }

    // A name that no place of the network asked for.
    void handle_rest(const std::string& name) {
        const std::string native = layout_->to_native(name);
        const auto parts = split_key(native);
        const bool attention =
            parts && is_self_attention(parts->block) &&
            (has_.count(parts->block + "qkv.weight") != 0 || has_.count(parts->block + "to_q.weight") != 0);
        if (!attention || parts->layer != "out_proj" || has_.count(native) != 0) {
            result_.unexpected.push_back(name);
            return;
        }
        drop_projection(native);
    }

    // The network has no projection here.
    void drop_projection(const std::string& native) {
        const ProjectionUse use = layout_->projection_use(native);
        if (use == ProjectionUse::never_applied) {
            change("projections left out that were never applied (exact)").names.push_back(native);
        } else if (options_.projection == ProjectionRule::drop) {
            change("projections left out: another function where they were applied (weights.projection: drop)",
                   /*suspicious=*/true)
                .names.push_back(native);
        } else if (use == ProjectionUse::applied) {
            result_.refused.push_back(native);
        } else {
            change(
                "projections are not used, since the network has include_fc: false. Right for weights that were "
                "trained so (MONAI 1.4 stored them all the same); MAISI's released weights want include_fc as in "
                "their network file: true applies the projection",
                /*suspicious=*/true)
                .names.push_back(native);
        }
    }

    const AdaptOptions& options_;
    std::string prefix_;
    std::vector<std::pair<std::string, const at::Tensor*>> places_;
    std::set<std::string> has_;                 // names of the network
    std::map<std::string, at::Tensor> source_;  // names of the checkpoint, without prefix
    const KeyLayout* layout_ = nullptr;
    std::set<std::string> used_;
    Adaptation result_;
};

bool any_projection(const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(),
                       [](const std::string& name) { return name.find("out_proj.") != std::string::npos; });
}

std::string advice(const Adaptation& adaptation) {
    if (!adaptation.refused.empty()) {
        return "MAISI's released weights want include_fc as in their network file. include_fc: false leaves a "
               "projection "
               "out, true applies it;\nweights.projection: identity keeps the function that was trained, apply and "
               "drop "
               "change it";
    }
    if (any_projection(adaptation.missing)) {
        return "the network has attention projections (include_fc: true) and the checkpoint has none. MAISI's released "
               "weights want include_fc\nas in their network file: false leaves the projection out; "
               "weights.projection: "
               "identity puts one in that changes nothing";
    }
    return "expected the weights of exactly this network; check that network file and checkpoint belong together";
}

}  // namespace

std::string list_names(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 4;
    std::ostringstream text;
    for (std::size_t i = 0; i < std::min(names.size(), shown); ++i) text << (i == 0 ? "" : ", ") << names[i];
    if (names.size() > shown) text << ", and " << names.size() - shown << " more";
    return text.str();
}

std::string Adaptation::problem() const {
    if (exact()) return {};
    std::ostringstream text;
    text << "the weights do not fit the network";
    const auto add = [&text](const std::vector<std::string>& names, const char* what) {
        if (!names.empty()) text << "; " << names.size() << " " << what << " (" << list_names(names) << ")";
    };
    add(refused, "projections that were trained in another way than the network uses them");
    add(missing, "missing");
    add(unexpected, "unexpected");
    add(mis_shaped, "of another shape");
    text << "; " << weights.size() << " fit (layout " << layout << ")\n" << advice(*this);
    return text.str();
}

Adaptation adapt_state_dict(const Module& network, const StateDict& weights, const AdaptOptions& options) {
    Adaptation result = Adapter(network, weights, options).run();
    const auto listed = [&result](const std::string& key) {
        const auto starts = [&key](const std::string& text) { return text.compare(0, key.size() + 1, key + " ") == 0; };
        return std::any_of(result.mis_shaped.begin(), result.mis_shaped.end(), starts) ||
               std::find(result.refused.begin(), result.refused.end(), key) != result.refused.end();
    };
    std::map<std::string, const at::Tensor*> original;
    if (options.started_from != nullptr) {
        for (const auto& [key, tensor] : options.started_from->named_tensors()) original[key] = tensor;
    }
    Change copied{"taken from the network that it started as a copy of, since the checkpoint lacks them", {}, false};
    for (const auto& [key, tensor] : network.named_tensors()) {
        if (result.weights.contains(key) || listed(key)) continue;
        const auto found = original.find(key);
        if (found == original.end() || found->second->sizes() != tensor->sizes()) {
            result.missing.push_back(key);
            continue;
        }
        result.weights.insert(key, *found->second);
        copied.names.push_back(key);
    }
    if (!copied.names.empty()) result.changes.push_back(std::move(copied));
    return result;
}

}  // namespace voldiff

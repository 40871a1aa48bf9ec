#include "core/state_dict/convert.h"

#include "core/error.h"
#include "core/state_dict/layout_finder.h"
#include "core/state_dict/projections.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <map>
#include <set>

namespace voldiff {

namespace {

std::set<std::string> names_of(const StateDict& weights) {
    std::set<std::string> names;
    for (const auto& item : weights) names.insert(item.key());
    return names;
}

// By the names alone: another layout than the first is one that some name would change in.
const KeyLayout& recognise(const std::set<std::string>& found, const std::vector<KeyLayout>& layouts) {
    for (const KeyLayout& layout : layouts) {
        const bool changes = std::any_of(found.begin(), found.end(),
                                         [&layout](const std::string& name) { return layout.to_native(name) != name; });
        if (changes) return layout;
    }
    return layouts.front();
}

// Names of the checkpoint <-> names of MONAI.
class Naming {
  public:
    Naming(const std::set<std::string>& found, const Module* network, const std::vector<KeyLayout>& layouts)
        : layouts_(layouts) {
        if (network == nullptr) {
            source_ = &recognise(found, layouts);
            return;
        }
        const std::vector<std::string> native = attention_names(*network);
        source_ = &find_layout(native, found, layouts_, "auto");
        for (const std::string& key : native) native_.emplace(source_->to_layout(key), key);
    }

    const KeyLayout& source() const { return *source_; }

    std::string native(const std::string& name) const {
        const auto known = native_.find(name);
        return known != native_.end() ? known->second : native_.empty() ? source_->to_native(name) : name;
    }

    const KeyLayout& target(const std::string& name) const {
        if (name.empty() || name == source_->name) return *source_;
        for (const KeyLayout& layout : layouts_) {
            if (layout.name != name) continue;
            if (layout.refusal.empty()) return layout;
            throw Error(ErrorCode::weights, "layout " + name + " is refused: " + layout.refusal);
        }
        throw Error(ErrorCode::weights,
                    "the names do not tell how layout '" + name +
                        "' is to be made of them (an autoencoder's do not); say to which network the weights belong: "
                        "--network FILE --as NAME");
    }

  private:
    const std::vector<KeyLayout>& layouts_;
    const KeyLayout* source_ = nullptr;
    std::map<std::string, std::string> native_;
};

class Converter {
  public:
    Converter(const StateDict& weights, const Module* network, const std::vector<KeyLayout>& layouts,
              const ConvertOptions& options)
        : options_(options), weights_(strip(weights)), naming_(names_of(weights_), network, layouts) {
        target_ = &naming_.target(options.layout);
        for (const auto& item : weights_) insert(naming_.native(item.key()), item.value());
        result_.from = naming_.source().name;
        result_.to = target_->name;
    }

    Conversion run() {
        for (const std::string& block : blocks()) convert_block(block);
        for (auto& item : native_) {
            at::Tensor tensor = item.value();
            const bool other_type =
                options_.type && tensor.is_floating_point() && tensor.scalar_type() != *options_.type;
            if (other_type) tensor = convert_type(item.key(), tensor);
            const std::string name = target_->to_layout(item.key());
            result_.weights.insert(name, tensor);
        }
        count_renamed();
        return std::move(result_);
    }

  private:
    Change& change(const std::string& what, bool suspicious = false) {
        if (suspicious) result_.lossless = false;
        for (Change& known : result_.changes) {
            if (known.what == what) return known;
        }
        return result_.changes.emplace_back(Change{what, {}, suspicious});
    }

    StateDict strip(const StateDict& weights) {
        const std::string prefix = wrapper_prefix(weights);
        StateDict plain;
        for (const auto& item : weights) plain.insert(item.key().substr(prefix.size()), item.value());
        if (!prefix.empty()) change("names: '" + prefix + "' taken off").names.resize(plain.size(), prefix);
        return plain;
    }

    void insert(const std::string& name, const at::Tensor& tensor) {
        if (native_.contains(name)) {
            throw Error(ErrorCode::weights, "two tensors become '" + name + "'; the checkpoint mixes two layouts");
        }
        native_.insert(name, tensor);
    }

    // Of the self-attention blocks, with their dots.
    std::vector<std::string> blocks() const {
        std::vector<std::string> found;
        for (const auto& item : native_) {
            const auto parts = split_key(item.key());
            const bool first = parts && parts->leaf == "weight" && (parts->layer == "to_q" || parts->layer == "qkv");
            if (first && is_self_attention(parts->block)) found.push_back(parts->block);
        }
        return found;
    }

    // Puts `made` in the place of the tensors named `from`.
    void replace(const std::vector<std::string>& from, const StateDict& made) {
        StateDict next;
        for (const auto& item : native_) {
            if (item.key() == from.front()) {
                for (const auto& each : made) next.insert(each.key(), each.value());
            }
            if (std::find(from.begin(), from.end(), item.key()) == from.end()) next.insert(item.key(), item.value());
        }
        native_ = std::move(next);
    }

    void convert_block(const std::string& block) {
        for (const std::string leaf : {"weight", "bias"}) {
            if (options_.qkv == QkvForm::fused) fuse({block, "", leaf});
            if (options_.qkv == QkvForm::separate) separate({block, "", leaf});
        }
        convert_projection(block);
    }

    void fuse(const KeyParts& parts) {
        std::vector<std::string> names;
        std::vector<at::Tensor> rows;
        for (const std::string& layer : separate_projections()) {
            if (!native_.contains(parts.with(layer))) return;
            names.push_back(parts.with(layer));
            rows.push_back(native_[names.back()]);
        }
        const auto joined = join_qkv(rows);
        if (!joined) throw Error(ErrorCode::weights, names.front() + " and its keys and values have different shapes");
        StateDict made;
        made.insert(parts.with("qkv"), *joined);
        replace(names, made);
        change("to_q, to_k, to_v joined into qkv (exact)").names.push_back(parts.with("qkv"));
    }

    void separate(const KeyParts& parts) {
        const std::string name = parts.with("qkv");
        if (!native_.contains(name)) return;
        StateDict made;
        for (const std::string& layer : separate_projections()) {
            const auto rows = part_of_qkv(native_[name], layer);
            if (!rows) throw Error(ErrorCode::weights, name + ": the rows are not three times something");
            made.insert(parts.with(layer), *rows);
        }
        replace({name}, made);
        change("qkv split into to_q, to_k, to_v (exact)").names.push_back(name);
    }

    // What the two layouts say of the projection decides whether a choice is exact.
    void convert_projection(const std::string& block) {
        const std::string weight = block + "out_proj.weight";
        const ProjectionUse before = naming_.source().projection_use(weight);
        const ProjectionUse after = target_->projection_use(weight);
        const bool saved = native_.contains(weight);
        const bool same =
            before == after || (before != ProjectionUse::never_applied && after != ProjectionUse::never_applied);
        const bool needed = !saved && after == ProjectionUse::never_applied;  // its class always has one
        if (options_.projection == ProjectionForm::unsaid && ((saved && !same) || needed)) ask(weight, needed);
        if (options_.projection == ProjectionForm::drop && saved) drop(block, before);
        if (options_.projection == ProjectionForm::identity) put_identity(block, saved, before);
        if (options_.projection == ProjectionForm::keep && saved && !same) {
            change("projections kept, which one layout applies and the other does not", /*suspicious=*/true)
                .names.push_back(weight);
        }
    }

    [[noreturn]] void ask(const std::string& weight, bool needed) const {
        const std::string choices =
            needed ? "the layout " + target_->name +
                         " has a projection in every attention block, the checkpoint none; "
                         "--identity-proj puts one in that changes nothing, --drop-proj goes without"
                   : "one of the layouts " + naming_.source().name + " and " + target_->name +
                         " stores attention projections that are never applied; --drop-proj leaves them out (right for "
                         "include_fc: false), --identity-proj puts in ones that change nothing (right for include_fc: "
                         "true), --keep-proj keeps them";
        throw Error(ErrorCode::weights, weight + ": " + choices);
    }

    void drop(const std::string& block, ProjectionUse before) {
        const bool exact = before == ProjectionUse::never_applied;
        const std::string what = exact ? "projections left out that were never applied (exact)"
                                       : "projections left out: another function where they were applied";
        for (const char* leaf : {"weight", "bias"}) {
            const std::string name = block + "out_proj." + leaf;
            if (!native_.contains(name)) continue;
            replace({name}, StateDict());
            change(what, !exact).names.push_back(name);
        }
        result_.lossless = false;
    }

    void put_identity(const std::string& block, bool saved, ProjectionUse before) {
        if (saved && before != ProjectionUse::never_applied &&
            target_->projection_use(block + "out_proj.weight") != ProjectionUse::never_applied) {
            return;  // it has one that may be applied
        }
        const std::string value = block + "to_v.weight";
        const std::string joined = block + "qkv.weight";
        const at::Tensor& like = native_.contains(value) ? native_[value] : native_[joined];
        if (like.dim() != 2) throw Error(ErrorCode::weights, value + ": expected a matrix");
        const std::int64_t width = native_.contains(value) ? like.size(0) : like.size(0) / 3;
        if (width != like.size(1)) {
            throw Error(ErrorCode::weights, block + ": no projection leaves " + std::to_string(width) +
                                                " channels of " + std::to_string(like.size(1)) + " as they are");
        }
        const bool exact = !saved || before == ProjectionUse::never_applied;
        set(block + "out_proj.weight", at::eye(width, like.options()));
        set(block + "out_proj.bias", at::zeros(width, like.options()));
        change(exact ? "projections put in that change nothing (exact)" : "projections replaced by the identity",
               !exact)
            .names.push_back(block + "out_proj.weight");
        result_.lossless = result_.lossless && !saved;
    }

    void set(const std::string& name, const at::Tensor& tensor) {
        StateDict made;
        made.insert(name, tensor);
        native_.contains(name) ? replace({name}, made) : (void)native_.insert(name, tensor);
    }

    at::Tensor convert_type(const std::string& name, const at::Tensor& tensor) {
        const at::Tensor converted = tensor.to(*options_.type);
        const bool same = converted.to(tensor.scalar_type()).equal(tensor);
        change(std::string("tensors become ") + c10::toString(*options_.type) + (same ? " (exact)" : " (rounded)"))
            .names.push_back(name);
        result_.lossless = result_.lossless && same;
        return converted;
    }

    void count_renamed() {
        if (result_.from == result_.to) return;
        for (const auto& item : native_) {
            if (target_->to_layout(item.key()) == naming_.source().to_layout(item.key())) continue;
            change("names of layout '" + result_.from + "' become those of '" + result_.to + "' (exact)")
                .names.push_back(item.key());
        }
    }

    const ConvertOptions& options_;
    Conversion result_;
    StateDict weights_;
    Naming naming_;
    const KeyLayout* target_ = nullptr;
    StateDict native_;
};

}  // namespace

Conversion convert_state_dict(const StateDict& weights, const Module* network, const std::vector<KeyLayout>& layouts,
                              const ConvertOptions& options) {
    return Converter(weights, network, layouts, options).run();
}

KeyForm key_form_of(const StateDict& weights) {
    std::set<std::string> names;
    const std::size_t prefix = wrapper_prefix(weights).size();
    for (const auto& item : weights) names.insert(item.key().substr(prefix));
    const std::vector<KeyLayout> layouts = unet_layouts();
    const KeyLayout& layout = recognise(names, layouts);
    KeyForm form{layout.name};
    for (const std::string& name : names) {
        const auto parts = split_key(layout.to_native(name));
        if (!parts || parts->leaf != "weight") continue;
        form.separate += parts->layer == "to_q" ? 1 : 0;
        form.fused += parts->layer == "qkv" ? 1 : 0;
        form.projections += parts->layer == "out_proj" ? 1 : 0;
    }
    return form;
}

}  // namespace voldiff

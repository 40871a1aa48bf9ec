#include "core/state_dict/layout.h"

#include <algorithm>
#include <optional>

namespace voldiff {

namespace {

using Names = std::vector<std::string>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether `path` ends in `pattern` at the start of a part of the path.
bool ends_in(const std::string& path, const std::string& pattern) {
    std::size_t at = path.size();
    for (std::size_t i = pattern.size(); i-- > 0;) {
        if (pattern[i] == '#') {
            const std::size_t end = at;
            while (at > 0 && is_digit(path[at - 1])) --at;
            if (at == end) return false;
        } else if (at == 0 || path[--at] != pattern[i]) {
            return false;
        }
    }
    return at == 0 || path[at - 1] == '.';
}

// `name` with the part `from` after one of `parents` replaced by `to`, or nothing where the rule does not fit.
std::optional<std::string> replace(const std::string& name, const Names& parents, const std::string& from,
                                   const std::string& to) {
    const std::string part = "." + from + ".";
    for (std::size_t at = name.find(part); at != std::string::npos; at = name.find(part, at + 1)) {
        const std::string parent = name.substr(0, at);
        const bool fits = std::any_of(parents.begin(), parents.end(),
                                      [&parent](const std::string& pattern) { return ends_in(parent, pattern); });
        if (fits) return parent + "." + to + name.substr(at + part.size() - 1);
    }
    return std::nullopt;
}

const Names attention_blocks = {"attentions.#", "middle_block.attention", "blocks.#"};

// GenerativeModels' AttentionBlock keeps its projections itself, and never applies `proj_attn`.
const std::vector<KeyRule> attention_rules = {
    {attention_blocks, "attn.to_q", "to_q"},
    {attention_blocks, "attn.to_k", "to_k"},
    {attention_blocks, "attn.to_v", "to_v"},
    {attention_blocks, "attn.out_proj", "proj_attn", ProjectionUse::never_applied},
};

// Its CrossAttention has a Sequential of projection and dropout.
const std::vector<KeyRule> cross_attention_rules = {
    {{"attn1", "attn2"}, "out_proj", "to_out.0", ProjectionUse::applied},
};

const std::vector<KeyRule> unet_upsample_rules = {
    {{"upsampler"}, "postconv.conv", "conv.conv"},
};

const std::vector<KeyRule> decoder_upsample_rules = {
    {{"decoder.blocks.#"}, "postconv.conv", "conv.conv"},
};

// MaisiConvolution wraps a convolution once more. The blocks of the non-local part do without, so names alone do not
// say where a `conv.` is to be put in: these rules lead from MAISI's names to the others only.
const std::vector<KeyRule> maisi_wrapper_rules = {
    {{"blocks.#"}, "conv.conv.conv", "conv.conv"},
    {{"blocks.#"}, "conv.conv", "conv"},
    {{"blocks.#"}, "conv1.conv.conv", "conv1.conv"},
    {{"blocks.#"}, "conv2.conv.conv", "conv2.conv"},
    {{"blocks.#"}, "nin_shortcut.conv.conv", "nin_shortcut.conv"},
};

const std::string monai = "monai-1.5";
const std::string generative = "generative";
const std::string generative_help = "MONAI GenerativeModels";

std::vector<KeyRule> join(std::initializer_list<std::vector<KeyRule>> parts) {
    std::vector<KeyRule> all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

}  // namespace

std::string KeyLayout::to_layout(const std::string& native) const {
    for (const KeyRule& rule : rules) {
        if (auto name = replace(native, rule.parents, rule.native, rule.layout)) return *name;
    }
    return native;
}

std::string KeyLayout::to_native(const std::string& name) const {
    for (const KeyRule& rule : rules) {
        if (auto native = replace(name, rule.parents, rule.layout, rule.native)) return *native;
    }
    return name;
}

ProjectionUse KeyLayout::projection_use(const std::string& native) const {
    for (const KeyRule& rule : rules) {
        if (replace(native, rule.parents, rule.native, rule.layout)) return rule.projection;
    }
    return ProjectionUse::unknown;
}

KeyLayout native_layout() { return {monai, "the names of MONAI 1.4 and 1.5, and of MAISI", {}, ""}; }

std::vector<KeyLayout> unet_layouts() {
    return {native_layout(),
            {generative, generative_help, join({attention_rules, cross_attention_rules, unet_upsample_rules}), ""}};
}

std::vector<KeyLayout> autoencoder_layouts(bool use_convtranspose) {
    const std::string other_deconvolution =
        "GenerativeModels upsamples by a transposed convolution of 3x3x3, AutoencoderKL by one of 2x2x2: another "
        "function; use _target_ AutoencoderKlMaisi, which has the 3x3x3 one";
    KeyLayout maisi{"maisi", "AutoencoderKlMaisi", {}, "the weights are AutoencoderKlMaisi's; use that _target_"};
    for (const KeyRule& rule : maisi_wrapper_rules) maisi.rules.push_back({rule.parents, rule.layout, rule.native});
    return {native_layout(),
            {generative, generative_help, join({attention_rules, decoder_upsample_rules}),
             use_convtranspose ? other_deconvolution : ""},
            std::move(maisi)};
}

std::vector<KeyLayout> maisi_autoencoder_layouts(bool use_convtranspose) {
    const std::string other_upsampling =
        "their class upsamples to the nearest voxel, AutoencoderKlMaisi trilinearly: another function; use _target_ "
        "AutoencoderKL";
    KeyLayout core{"monai-core", "MONAI's AutoencoderKL", maisi_wrapper_rules, other_upsampling};
    KeyLayout old{generative, generative_help, join({attention_rules, maisi_wrapper_rules}),
                  use_convtranspose ? "" : other_upsampling};
    return {native_layout(), std::move(old), std::move(core)};
}

const std::vector<std::string>& layout_names() {
    static const Names names = {monai, generative};
    return names;
}

const std::vector<std::string>& wrapper_prefixes() {
    static const Names prefixes = {"module.", "_orig_mod."};
    return prefixes;
}

}  // namespace voldiff

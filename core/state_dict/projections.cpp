#include "core/state_dict/projections.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include <algorithm>

namespace voldiff {

std::optional<KeyParts> split_key(const std::string& key) {
    const std::size_t leaf = key.rfind('.');
    if (leaf == std::string::npos || leaf == 0) return std::nullopt;
    const std::size_t layer = key.rfind('.', leaf - 1) + 1;  // npos + 1 is 0
    return KeyParts{key.substr(0, layer), key.substr(layer, leaf - layer), key.substr(leaf + 1)};
}

const std::vector<std::string>& separate_projections() {
    static const std::vector<std::string> layers = {"to_q", "to_k", "to_v"};
    return layers;
}

bool is_self_attention(const std::string& block) {
    const std::string context_attention = "attn2.";
    return block.size() < context_attention.size() ||
           block.compare(block.size() - context_attention.size(), context_attention.size(), context_attention) != 0;
}

std::optional<at::Tensor> join_qkv(const std::vector<at::Tensor>& rows) {
    const bool alike = std::all_of(rows.begin(), rows.end(), [&rows](const at::Tensor& each) {
        return each.dim() > 0 && each.sizes() == rows.front().sizes() &&
               each.scalar_type() == rows.front().scalar_type();
    });
    if (!alike) return std::nullopt;
    return at::cat(rows, 0);
}

std::optional<at::Tensor> part_of_qkv(const at::Tensor& joined, const std::string& projection) {
    if (joined.dim() == 0 || joined.size(0) == 0 || joined.size(0) % 3 != 0) return std::nullopt;
    const auto& layers = separate_projections();
    const auto index = std::find(layers.begin(), layers.end(), projection) - layers.begin();
    return joined.chunk(3, 0)[static_cast<std::size_t>(index)];
}

}  // namespace voldiff

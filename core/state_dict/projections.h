// The projections of attention blocks in a checkpoint: their keys, and the exact ways to store them.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

namespace voldiff {

// "a.b.to_q.weight" -> {"a.b.", "to_q", "weight"}
struct KeyParts {
    std::string block;  // empty, or with its dot
    std::string layer;
    std::string leaf;
    std::string with(const std::string& other_layer) const { return block + other_layer + "." + leaf; }
};

std::optional<KeyParts> split_key(const std::string& key);

// In the order of their rows in `qkv`.
const std::vector<std::string>& separate_projections();

// Whether a block ("a.attn1.") attends to itself: those alone can be fused, or do without an output projection. The
// transformers' second attention (`attn2`) attends to a context.
bool is_self_attention(const std::string& block);

// Weights or biases of to_q, to_k, to_v -> of qkv. Nothing where they are not of one width.
std::optional<at::Tensor> join_qkv(const std::vector<at::Tensor>& rows);
// Of qkv -> one of `separate_projections`. Nothing where the rows are not three times something.
std::optional<at::Tensor> part_of_qkv(const at::Tensor& joined, const std::string& projection);

}  // namespace voldiff

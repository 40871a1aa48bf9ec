// Scaled dot-product attention that never holds the whole matrix of scores for a long sequence.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace voldiff::ops {

struct AttentionOptions {
    double scale = 1;
    // Changes the scores of the queries [begin, end) in place before the softmax; scores [N, heads, end - begin, keys].
    std::function<void(at::Tensor& scores, std::int64_t begin, std::int64_t end)> adjust_scores;
    // Filled with softmax(scores), [N, heads, queries, keys], where given. This materialises the matrix.
    at::Tensor* probabilities = nullptr;
};

// softmax(scale * q k^T) v, exact, in chunks of queries. q [N, heads, queries, d], k [N, heads, keys, d],
// v [N, heads, keys, d'] -> [N, heads, queries, d']. The probabilities keep q's type.
// Throws Error(config) where v has another type, as MONAI refuses.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options);

}  // namespace voldiff::ops

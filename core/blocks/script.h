// Pieces of TorchScript: every block writes what it computes as source text too (`Module::script`), from which
// core/torchscript builds modules for torch.jit.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace voldiff::script {

// The child or tensor of `self` with this key: "conv.weight" -> self.conv.weight, "0" -> getattr(self, "0").
std::string member(const std::string& key);
// "[2, 2, 2]"
std::string list(const std::vector<std::int64_t>& values);
// Shortest text that reads back as the same number.
std::string number(double value);
// TorchScript knows types by their numbers.
std::string type(at::ScalarType type);
// `text` with each $name replaced.
std::string fill(std::string text, const std::vector<std::pair<std::string, std::string>>& values);

// Lines that compute `y` [N, heads, queries, d'] = softmax(scale * q k^T) v from q, k and v, in chunks of queries as
// ops::attention; `adjust` are lines that change `scores` of the queries [begin, end).
std::string attention(double scale, const std::string& adjust = "");

}  // namespace voldiff::script

// Networks with random weights, the same for a seed.
#pragma once

#include "core/blocks/module.h"
#include "core/state_dict/state_dict.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

namespace voldiff {

inline void fill_randomly(const Module& module, std::uint64_t seed) {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    for (const auto& [key, tensor] : module.named_tensors()) {
        *tensor = at::randn(tensor->sizes(), generator, tensor->options()).mul_(0.3);
    }
}

inline StateDict state_dict_of(const Module& module) {
    StateDict weights;
    for (const auto& [key, tensor] : module.named_tensors()) weights.insert(key, tensor->clone());
    return weights;
}

}  // namespace voldiff

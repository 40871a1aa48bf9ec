// Networks and inputs for the benchmarks.
#pragma once

#include "core/blocks/module.h"
#include "core/networks/roles.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <string>

namespace voldiff::benchmark {

inline at::Tensor random_tensor(at::IntArrayRef shape, std::uint64_t seed) {
    return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions());
}

// Matrices and convolutions that keep the variance, norms near one, small biases.
inline void fill_weights(const Module& network, std::uint64_t seed) {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    for (const auto& [key, tensor] : network.named_tensors()) {
        at::Tensor value = at::randn(tensor->sizes(), generator, tensor->options());
        if (value.dim() > 1) {
            value.div_(std::sqrt(static_cast<double>(value.numel() / value.size(0))));
        } else {
            value.mul_(0.1);
            if (key.size() > 6 && key.compare(key.size() - 6, 6, "weight") == 0) value.add_(1);
        }
        *tensor = value;
    }
}

inline void convert_weights(const Module& network, at::ScalarType type) {
    for (const auto& [key, tensor] : network.named_tensors()) *tensor = tensor->to(type);
}

// Some of everything that the network takes.
inline UnetConditions conditions_of(const DiffusionUnetConfig& config, at::ScalarType type) {
    UnetConditions conditions;
    if (config.num_class_embeds) conditions.class_labels = at::zeros({1}, at::kLong);
    const at::Tensor region = at::full({1, 4}, 25.0).to(type);
    if (config.include_top_region_index_input) conditions.top_region_index_tensor = region;
    if (config.include_bottom_region_index_input) conditions.bottom_region_index_tensor = region;
    if (config.include_spacing_input) conditions.spacing_tensor = at::full({1, 3}, 150.0).to(type);
    if (config.cross_attention_dim) conditions.context = random_tensor({1, 5, *config.cross_attention_dim}, 9).to(type);
    return conditions;
}

}  // namespace voldiff::benchmark

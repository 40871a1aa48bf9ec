// A small network, and random weights, the same for a seed.
#pragma once

#include "core/blocks/module.h"
#include "core/networks/diffusion_unet_config.h"
#include "core/state_dict/state_dict.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

namespace voldiff {

// Of a U-Net or a ControlNet: two levels, attention in the lower one and the middle.
template <class Config>
Config small_trunk() {
    Config config;
    config.in_channels = 2;
    config.num_channels = {4, 8};
    config.attention_levels = {false, true};
    config.num_res_blocks = PerLevel(1);
    config.num_head_channels = PerLevel(4);
    config.norm_num_groups = 2;
    return config;
}

inline DiffusionUnetConfig small_unet_config() {
    auto config = small_trunk<DiffusionUnetConfig>();
    config.out_channels = config.in_channels;
    return config;
}

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

#include "core/blocks/module.h"

#include <ATen/ops/empty.h>

namespace voldiff {

std::vector<std::pair<std::string, at::Tensor*>> Module::named_tensors() const {
    std::vector<std::pair<std::string, at::Tensor*>> all = tensors_;
    for (const auto& [key, child] : children_) {
        for (const auto& [inner, tensor] : child->named_tensors()) all.emplace_back(key + "." + inner, tensor);
    }
    return all;
}

at::TensorOptions Module::options() const {
    const auto all = named_tensors();
    return all.empty() ? at::TensorOptions() : all.front().second->options();
}

void Module::register_tensor(const std::string& key, at::Tensor& member, at::IntArrayRef shape) {
    member = at::empty(shape);
    register_tensor(key, member);
}

void Module::register_tensor(const std::string& key, at::Tensor& member) { tensors_.emplace_back(key, &member); }

}  // namespace voldiff

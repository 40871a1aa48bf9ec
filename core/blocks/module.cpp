#include "core/blocks/module.h"

#include "core/ops/planes/store.h"

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

void Module::release_packed_weights() {
    for (ops::PackedWeights* packed : packed_) packed->release();
    for (const auto& [key, child] : children_) child->release_packed_weights();
}

void Module::register_tensor(const std::string& key, at::Tensor& member, at::IntArrayRef shape) {
    member = at::empty(shape);
    register_tensor(key, member);
}

void Module::register_tensor(const std::string& key, at::Tensor& member) { tensors_.emplace_back(key, &member); }

ops::Planes TensorModule::forward_planes(ops::Planes x, const LevelPlan&) {
    ops::PlaneRun& run = x->run();
    if (!run.rehearsal()) return ops::from_tensor(run, forward(ops::to_tensor(std::move(x))));
    const auto extents = output_extents(x->extents());
    const std::int64_t channels = x->channels();
    const auto bytes = [](double values) { return static_cast<std::size_t>(values * sizeof(float)); };
    const auto size = static_cast<double>(extents[0] * extents[1] * extents[2] * channels);
    ops::to_tensor(x);
    const ops::CountedBytes result(run, bytes(size));
    { const ops::CountedBytes workspace(run, bytes((size + static_cast<double>(x->size())) * tensors_at_work())); }
    x = nullptr;
    return ops::empty_volume_of(run, extents, channels);
}

}  // namespace voldiff

// What all layers, blocks and networks are: a tree whose leaves are named tensors, with MONAI's state_dict keys.
//
// Not torch::nn::Module: that draws random weights that a checkpoint replaces, and its header (with all of TorchScript
// behind it) is most of a build. Keys may have dots ("out.0"), for levels that hold nothing else.
#pragma once

#include "core/blocks/level_plan.h"
#include "core/ops/packed_weights.h"
#include "core/ops/planes/planes.h"

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace voldiff {

class Module {
  public:
    Module() = default;
    virtual ~Module() = default;
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    // Every parameter and buffer with its key, in the order of registration. The pointers are to the module's members:
    // assigning another tensor of that shape changes the weights.
    std::vector<std::pair<std::string, at::Tensor*>> named_tensors() const;
    // The module's own parts, keys relative to it.
    const std::vector<std::pair<std::string, at::Tensor*>>& own_tensors() const { return tensors_; }
    const std::vector<std::pair<std::string, std::shared_ptr<Module>>>& children() const { return children_; }
    // What the module computes as TorchScript: methods of a module whose attributes have the same keys. Empty where it
    // only holds others. Throws Error(config) for what is not written so.
    virtual std::string script() const { return {}; }

    // Type and device of the weights.
    at::TensorOptions options() const;
    // Of this and of all its parts.
    void release_packed_weights();

  protected:
    // Declares a member that a checkpoint will fill. Its memory is untouched until then, and so costs nothing.
    void register_tensor(const std::string& key, at::Tensor& member, at::IntArrayRef shape);
    // Declares a member that has its values.
    void register_tensor(const std::string& key, at::Tensor& member);
    // Declares a member that holds weights in another order.
    void register_packed(ops::PackedWeights& member) { packed_.push_back(&member); }

    template <class M>
    std::shared_ptr<M> register_module(const std::string& key, std::shared_ptr<M> module) {
        children_.emplace_back(key, module);
        return module;
    }
    template <class M, class... Arguments>
    std::shared_ptr<M> add(const std::string& key, Arguments&&... arguments) {
        return register_module(key, std::make_shared<M>(std::forward<Arguments>(arguments)...));
    }
    // `key`.0, `key`.1, ...
    template <class M>
    void register_list(const std::string& key, const std::vector<std::shared_ptr<M>>& modules) {
        for (std::size_t i = 0; i < modules.size(); ++i) register_module(key + "." + std::to_string(i), modules[i]);
    }

  private:
    std::vector<std::pair<std::string, at::Tensor*>> tensors_;
    std::vector<std::pair<std::string, std::shared_ptr<Module>>> children_;
    std::vector<ops::PackedWeights*> packed_;
};

// A module that maps one tensor to one tensor. Takes its argument by value, so that a caller can give it up.
class TensorModule : public Module {
  public:
    virtual at::Tensor forward(at::Tensor x) = 0;
    // The same on a streamed volume, kept or not as the plan says. Here: through tensors.
    virtual ops::Planes forward_planes(ops::Planes x, const LevelPlan& plan);

  protected:
    // The extents of forward(x) for those of x.
    virtual std::array<std::int64_t, 3> output_extents(const std::array<std::int64_t, 3>& x) const { return x; }
    // What `forward` holds beside x and its result, in tensors of their size together.
    virtual double tensors_at_work() const { return 1; }
};

}  // namespace voldiff

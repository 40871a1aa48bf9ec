// Calls a method of a TorchScript module by the names of its arguments.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace voldiff {

// Argument names with their values; an undefined tensor or an empty list is not given.
using ScriptedArguments = std::vector<std::pair<std::string, c10::IValue>>;

class ScriptedMethod {
  public:
    // `needed`: the arguments that will be given; `optional`: those that the method may have besides.
    // Throws Error(weights), with the signature, where the method has others or lacks one.
    ScriptedMethod(const torch::jit::Module& module, const std::string& name, std::vector<std::string> needed,
                   std::vector<std::string> optional = {});

    // Throws Error(weights) where the module's code fails.
    c10::IValue operator()(const ScriptedArguments& arguments) const;

  private:
    std::string signature() const;

    torch::jit::Module module_;
    std::string name_;
};

// Throws Error(weights).
torch::jit::Module load_scripted(std::istream& archive, const at::TensorOptions& options);

// All tensors of a result, in order, out of tuples and lists. Throws Error(weights) for anything else.
std::vector<at::Tensor> flatten_result(const c10::IValue& value);

}  // namespace voldiff

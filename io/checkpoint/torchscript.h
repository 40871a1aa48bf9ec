// Parameters and buffers in an archive of torch.jit.save.
#pragma once

#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/torch_objects.h"

#include <functional>

namespace voldiff {

// Whether the value is a module of TorchScript.
bool is_torchscript(const PickleValue& root);

// Source text of a module such as "__torch__.torch.nn.modules.conv", empty where the archive has none.
using ScriptSource = std::function<Blob(const std::string& module_name)>;

// Collects them under the names of a state_dict, such as "down.0.conv.weight". The sources tell parameters and buffers
// from other attributes; where there is no source, all tensors are taken. Throws Error(weights) for modules that are
// nested deeper than 64, have names longer than 1000 bytes, or are shared so often that there are more than 500,000
// attributes.
void flatten_torchscript(const PickleValue& root, const ScriptSource& source, TensorReader& tensors,
                         StateDict& weights);

}  // namespace voldiff

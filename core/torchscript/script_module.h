// Writes our modules as TorchScript: the same keys, methods from `Module::script`, run by torch.jit in Python or C++.
#pragma once

#include "core/blocks/module.h"

#include <iosfwd>
#include <map>
#include <string>

namespace voldiff {

// Throws Error(config) for a module, or a part of it, that has no TorchScript form, Error(io) where `out` cannot
// take it. `extra` are texts beside the module (`_extra_files` of torch.jit.load).
void save_torchscript(const Module& module, std::ostream& out, const std::map<std::string, std::string>& extra = {});

}  // namespace voldiff

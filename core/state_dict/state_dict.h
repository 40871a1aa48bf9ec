// Named tensors in the order of their file or module, with MONAI's state_dict keys.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/api/include/torch/ordered_dict.h>

#include <string>

namespace voldiff {

using StateDict = torch::OrderedDict<std::string, at::Tensor>;

}  // namespace voldiff

// Where in a pickle of PyTorch the weights of a network are, and what stands beside them.
#pragma once

#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/torch_objects.h"

namespace voldiff {

// Fills in everything but the format. The weights are a dict of tensors, or such a dict under one of the names that
// weights_finder.cpp lists, or the parameters and buffers of a TorchScript module. Throws Error(weights) where there
// are none, it is not clear which, or one of them is no tensor.
void find_weights(const Pickle& pickle, TensorReader& tensors, Checkpoint& checkpoint);

}  // namespace voldiff

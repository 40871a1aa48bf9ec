// Tensors whose values lie in a mapped file that is only read. Their pages may leave memory at any time: they come back
// from the file when they are read.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

namespace voldiff::ops {

// Values at `data` within such a mapping, which `owner` keeps alive. They must not be written.
at::Tensor file_tensor(const void* data, at::IntArrayRef sizes, at::IntArrayRef strides, at::ScalarType type,
                       std::shared_ptr<const void> owner);

// Takes the tensor's values out of memory where it is made by `file_tensor`; any other is left alone.
void forget_pages(const at::Tensor& tensor);

}  // namespace voldiff::ops

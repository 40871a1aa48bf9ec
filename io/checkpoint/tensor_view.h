// Tensors over bytes that somebody else owns, with every bound checked.
#pragma once

#include "io/checkpoint/mapped_file.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace voldiff {

// Offset and strides count elements, as PyTorch's do.
struct TensorLayout {
    at::ScalarType dtype = at::kFloat;
    std::int64_t offset = 0;
    std::vector<std::int64_t> sizes;
    std::vector<std::int64_t> strides;
};

// Elements of a tensor of these sizes. Throws Error(weights) for negative sizes, more than 64 axes, or a number of
// bytes that overflows.
std::int64_t element_count(const std::vector<std::int64_t>& sizes);

// Row-major strides for sizes that element_count accepts.
std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& sizes);

// The bytes themselves, or a copy of them where elements of this type would not be aligned. Throws Error(weights) for
// booleans that are neither 0 nor 1.
Blob typed_storage(const Blob& bytes, at::ScalarType dtype);

// A tensor on the CPU that shares the bytes of a typed storage and keeps them alive. It must not be written: the bytes
// may be mapped read only. Throws Error(weights) where it would reach out of the storage.
at::Tensor view_as_tensor(const Blob& storage, const TensorLayout& layout);

}  // namespace voldiff

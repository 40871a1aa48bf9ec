// Element types that a checkpoint may hold, by the names of each format.
#pragma once

#include <c10/core/ScalarType.h>

#include <optional>
#include <string_view>

namespace voldiff {

// "FloatStorage", "float32", ...: the class of a storage or the dtype in a pickle of PyTorch.
std::optional<at::ScalarType> dtype_from_torch_name(std::string_view name);

// "F32", "BF16", ...
std::optional<at::ScalarType> dtype_from_safetensors_name(std::string_view name);

// "FloatStorage", ...; empty for types that have none.
std::string_view torch_storage_name(at::ScalarType dtype);

// Empty for types that safetensors does not have.
std::string_view safetensors_name(at::ScalarType dtype);

}  // namespace voldiff

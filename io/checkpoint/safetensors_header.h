// The header of safetensors files: a JSON object with one entry for each tensor.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace voldiff {

// Throws Error(weights) where the text is no valid JSON object, nests deeper than such headers do, or names a tensor
// twice.
nlohmann::json parse_safetensors_header(std::string_view text);

}  // namespace voldiff

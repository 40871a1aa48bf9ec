// Files of the safetensors format: length of the header, header in JSON, raw tensors.
// Format: https://github.com/huggingface/safetensors
#pragma once

#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/mapped_file.h"

namespace voldiff {

// Throws Error(weights) where the header is damaged, names an unknown type, or its tensors do not fill the data
// exactly.
Checkpoint read_safetensors(const Blob& file);

// Whether the header begins as one of that format, whatever the length before it says. Never throws.
bool is_safetensors(std::string_view bytes);

}  // namespace voldiff

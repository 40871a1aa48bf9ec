// Files written by torch.save and torch.jit.save.
#pragma once

#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/mapped_file.h"

namespace voldiff {

// A zip archive: data.pkl describes the tensors, data/KEY holds the bytes of each storage. Throws Error(weights).
Checkpoint read_torch_zip(const Blob& file);

// The format before PyTorch 1.6: five pickles, then each storage with its number of elements. Throws Error(weights).
Checkpoint read_torch_legacy(const Blob& file);

// Whether the file begins as the older format does. Never throws.
bool is_torch_legacy(std::string_view bytes);

}  // namespace voldiff

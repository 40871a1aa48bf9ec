// Reads the weights of a network from a file: `torch.save` archives (zip, and the older format without zip),
// TorchScript archives (their parameters and buffers) and safetensors. No byte of a file is ever executed: pickles are
// read by a small interpreter that builds tensors and containers and skips every other object.
//
// Tensors are views of the mapped file wherever it stores them raw, so reading costs no second copy in memory; the
// mapping lives as long as the last tensor. They must not be written, and the file must not be shortened, meanwhile.
#pragma once

#include "core/state_dict/state_dict.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace voldiff {

struct Checkpoint {
    std::string format;       // "torch zip", "torch legacy", "torchscript", "safetensors"
    std::string weights_at;   // key under which the weights were found ("unet_state_dict", ...), empty at the top level
    StateDict weights;        // the names as in the file, DataParallel's `module.` kept
    StateDict extra_tensors;  // tensors beside the weights, e.g. "scale_factor"
    std::map<std::string, double> extra_numbers;  // numbers beside the weights: "epoch", "loss", "scale_factor", ...
    std::map<std::string, std::string> metadata;  // of safetensors
    std::size_t skipped_objects = 0;              // objects of classes that are neither tensors nor containers
};

// Throws Error(weights) for anything that is not a whole, consistent checkpoint (with the file, what was expected and
// what was found), Error(io) where the file cannot be opened.
Checkpoint read_checkpoint(const std::filesystem::path& path);

// Writes tensors (made contiguous, on the CPU, types kept) with text metadata: the largest element types first,
// otherwise in the order given. The file appears under its name only when it is whole. Throws Error(weights) for a
// tensor that the format does not hold, Error(io) where the file cannot be written. Format:
// https://github.com/huggingface/safetensors
void write_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                       const std::map<std::string, std::string>& metadata = {});

// Writes the weights and what stands beside them as torch.save does; torch.load reads the file with weights_only=True.
// Weights alone are a plain state_dict. Throws as `write_safetensors`.
void write_torch_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

// By the extension: .safetensors (what stands beside the weights becomes metadata, as far as it is one number or text;
// the names of the rest are returned), else as torch.save. Throws Error(usage) for an extension of neither.
std::vector<std::string> write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

}  // namespace voldiff

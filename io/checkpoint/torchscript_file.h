// A TorchScript archive that is to be run, looked at before LibTorch opens it.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace voldiff {

// Whether a file is meant to be run as a module: by its name alone (.ts). TorchScript archives of other names are read
// for their weights only.
bool is_torchscript_module(const std::filesystem::path& path);

// The archive for LibTorch to read. Throws Error(io) where it cannot be opened.
std::ifstream open_torchscript_module(const std::filesystem::path& path);

// The texts that torch.jit.save was given beside the module (`_extra_files`), by their names. Throws Error(weights) for
// a damaged archive, for one that is no TorchScript, and for one whose code reads or writes files or calls operators of
// other libraries.
std::map<std::string, std::string> check_torchscript_module(const std::filesystem::path& path);

}  // namespace voldiff

#include "core/torchscript/script_module.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/export.h>

#include <algorithm>
#include <ostream>
#include <sstream>

namespace voldiff {

namespace {

using Scripted = torch::jit::Module;

// Builds the module at one key path. Every type has a name of its own: LibTorch takes types of one name for one type,
// and a type that contains itself sends it into an endless recursion.
class Builder {
  public:
    explicit Builder(std::string path) : path_(std::move(path)), scripted_(new_module(path_)) {}

    Scripted build(const Module& module) {
        for (const auto& [key, tensor] : module.own_tensors()) {
            auto [place, name] = place_of(key);
            place.register_parameter(name, tensor->detach().to(at::kCPU), /*is_buffer=*/false);
        }
        for (const auto& [key, child] : module.children()) {
            auto [place, name] = place_of(key);
            place.register_module(name, Builder(path_ + "." + key).build(*child));
        }
        const std::string source = module.script();
        if (!source.empty()) scripted_.define(source);
        return scripted_;
    }

  private:
    // "network.blocks.0" -> module of type __torch__.voldiff.network_blocks_0
    static Scripted new_module(std::string path) {
        std::replace(path.begin(), path.end(), '.', '_');
        return Scripted(c10::QualifiedName("__torch__.voldiff." + path));
    }

    // "conv.conv.weight" -> the module at "conv.conv", made where it is missing, and "weight".
    std::pair<Scripted, std::string> place_of(const std::string& key) const {
        Scripted at = scripted_;
        std::string path = path_;
        std::istringstream parts(key);
        std::string part;
        std::getline(parts, part, '.');
        for (std::string next; std::getline(parts, next, '.'); part = next) {
            path += "." + part;
            if (!at.hasattr(part)) at.register_module(part, new_module(path));
            at = at.attr(part).toModule();
        }
        return {at, part};
    }

    std::string path_;
    Scripted scripted_;
};

}  // namespace

void save_torchscript(const Module& module, std::ostream& out, const std::map<std::string, std::string>& extra) {
    Scripted scripted;
    try {
        scripted = Builder("network").build(module);
        scripted.eval();
    } catch (const c10::Error& error) {
        throw Error(ErrorCode::internal, std::string("TorchScript: ") + error.what_without_backtrace());
    }
    // LibTorch's writer ends the program where a write fails, so it is told that all went well, and the stream is
    // asked.
    const auto write = [&out](const void* bytes, std::size_t size) {
        out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
        return size;
    };
    torch::jit::ExportModule(scripted, write, torch::jit::ExtraFilesMap(extra.begin(), extra.end()));
    if (!out.flush()) throw Error(ErrorCode::io, "the module cannot be written whole; is there room on the disk?");
}

}  // namespace voldiff

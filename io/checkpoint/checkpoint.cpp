#include "io/checkpoint/checkpoint.h"

#include "io/checkpoint/message.h"
#include "io/checkpoint/safetensors.h"
#include "io/checkpoint/torch_file.h"
#include "io/config/scalar.h"
#include "io/file.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <array>

namespace voldiff {
namespace {

using namespace std::string_view_literals;

bool begins_with(std::string_view bytes, std::string_view prefix) { return bytes.substr(0, prefix.size()) == prefix; }

// What people take for a checkpoint now and then, and what to do.
struct Mistake {
    std::string_view prefix;
    std::size_t offset;
    std::string_view message;
};

constexpr std::array<Mistake, 5> kMistakes{{
    {"version https://git-lfs"sv, 0, "looks like a Git LFS pointer; run git lfs pull"sv},
    {"<"sv, 0, "looks like a web page (HTML or XML), not a checkpoint; download the file again"sv},
    {"\x1f\x8b"sv, 0, "is compressed by gzip; unpack it first"sv},
    {"ustar"sv, 257, "is a tar archive (PyTorch before 0.1.10 wrote such files); save it again with a newer PyTorch"sv},
    {"\x89HDF"sv, 0, "is an HDF5 file, expected a checkpoint of PyTorch or safetensors"sv},
}};

[[noreturn]] void refuse_unknown(std::string_view bytes) {
    if (bytes.empty()) {
        refuse_weights("is empty (0 bytes), expected a checkpoint of PyTorch or safetensors; download the file again");
    }
    const auto text = bytes.substr(std::min(bytes.find_first_not_of(" \t\r\n\xef\xbb\xbf"), bytes.size()));
    for (const auto& mistake : kMistakes) {
        const auto start = mistake.offset == 0 ? text : bytes.substr(std::min(mistake.offset, bytes.size()));
        if (begins_with(start, mistake.prefix)) {
            refuse_weights(mistake.message);
        }
    }
    constexpr std::size_t kShown = 16;
    refuse_weights("is no checkpoint: expected a file of torch.save, torch.jit.save or safetensors, found ",
                   bytes.size(), " bytes that begin with ", in_quotes(bytes.substr(0, kShown)));
}

Checkpoint read(const Blob& file) {
    if (begins_with(file.bytes, "PK\x03\x04"sv) || begins_with(file.bytes, "PK\x05\x06"sv)) {
        return read_torch_zip(file);
    }
    if (is_torch_legacy(file.bytes)) {
        return read_torch_legacy(file);
    }
    if (is_safetensors(file.bytes)) {
        return read_safetensors(file);
    }
    refuse_unknown(file.bytes);
}

}  // namespace

Checkpoint read_checkpoint(const std::filesystem::path& path) {
    try {
        auto checkpoint = read(map_file(path));
        if (checkpoint.weights.is_empty()) {
            refuse_weights("is a checkpoint (", checkpoint.format, ") that holds no weights");
        }
        return checkpoint;
    } catch (const Error& error) {
        throw error.within(path.string());
    }
}

std::vector<std::string> write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
    const std::string kind = extension(path);
    if (kind == ".pt" || kind == ".pth" || kind == ".ckpt") {
        write_torch_checkpoint(path, checkpoint);
        return {};
    }
    if (kind != ".safetensors") {
        throw Error(ErrorCode::usage,
                    path.string() + ": expected a name that ends in .safetensors, .pt, .pth or .ckpt");
    }
    std::vector<std::string> left_out;
    auto metadata = checkpoint.metadata;
    for (const auto& [name, number] : checkpoint.extra_numbers) metadata.emplace(name, format_number(number));
    for (const auto& item : checkpoint.extra_tensors) {
        if (item.value().numel() == 1) {
            metadata.emplace(item.key(), format_number(item.value().item<double>()));
        } else {
            left_out.push_back(item.key());
        }
    }
    write_safetensors(path, checkpoint.weights, metadata);
    return left_out;
}

}  // namespace voldiff

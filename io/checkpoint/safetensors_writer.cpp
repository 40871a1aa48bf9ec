#include "io/checkpoint/byte_reader.h"
#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/dtype.h"
#include "io/file.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>

namespace voldiff {
namespace {

using nlohmann::json;

struct NamedTensor {
    std::string name;
    at::Tensor tensor;
};

// Largest elements first, so that every tensor is aligned and can be read in place; otherwise in the order given.
std::vector<NamedTensor> order_for_file(const StateDict& tensors) {
    std::vector<NamedTensor> result;
    for (const auto& item : tensors) {
        const auto& tensor = item.value();
        if (!tensor.defined() || tensor.layout() != at::kStrided || safetensors_name(tensor.scalar_type()).empty()) {
            refuse_weights("tensor ", in_quotes(item.key()), " is of a type that safetensors does not hold");
        }
        if (item.key() == "__metadata__") {
            refuse_weights("a tensor cannot be named ", in_quotes(item.key()), " in safetensors");
        }
        result.push_back({item.key(), tensor});
    }
    std::stable_sort(result.begin(), result.end(), [](const NamedTensor& a, const NamedTensor& b) {
        return a.tensor.element_size() > b.tensor.element_size();
    });
    return result;
}

std::string header_of(const std::vector<NamedTensor>& tensors, const std::map<std::string, std::string>& metadata) {
    std::string text = "{";
    if (!metadata.empty()) {
        text += R"("__metadata__":)" + json(metadata).dump();
    }
    std::uint64_t offset = 0;
    for (const auto& [name, tensor] : tensors) {
        const auto end = offset + static_cast<std::uint64_t>(tensor.numel()) * tensor.element_size();
        const json description{{"dtype", safetensors_name(tensor.scalar_type())},
                               {"shape", tensor.sizes().vec()},
                               {"data_offsets", {offset, end}}};
        text += (text.size() > 1 ? "," : "") + json(name).dump() + ":" + description.dump();
        offset = end;
    }
    text += "}";
    constexpr std::size_t kAlignment = 8;
    text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
    return text;
}

// What the header and the order say about the tensors, made before anything is written.
struct Plan {
    std::vector<NamedTensor> tensors;
    std::string header;
};

Plan plan_file(const StateDict& tensors, const std::map<std::string, std::string>& metadata) {
    try {
        auto ordered = order_for_file(tensors);
        auto header = header_of(ordered, metadata);
        return {std::move(ordered), std::move(header)};
    } catch (const json::exception&) {
        refuse_weights("a tensor name or a metadata text is not valid UTF-8");
    }
}

void write(const std::filesystem::path& path, const Plan& plan) {
    std::ofstream stream(path, std::ios::binary | std::ios::trunc);
    stream.exceptions(std::ios::failbit | std::ios::badbit);
    const auto put = [&](const void* data, std::size_t size) {
        stream.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
    };
    const std::uint64_t length = plan.header.size();
    put(&length, sizeof(length));
    put(plan.header.data(), plan.header.size());
    for (const auto& item : plan.tensors) {
        const auto tensor = item.tensor.detach().to(at::kCPU).contiguous();
        put(tensor.data_ptr(), tensor.nbytes());
    }
    stream.close();
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                       const std::map<std::string, std::string>& metadata) {
    Plan plan;
    try {
        plan = plan_file(tensors, metadata);
    } catch (const Error& error) {
        throw error.within(path.string());
    }
    AtomicFile file(path);
    try {
        write(file.temporary(), plan);
    } catch (const std::ios::failure&) {
        throw Error(ErrorCode::io, path.string() + ": cannot be written whole; is there room on the disk?");
    }
    file.commit();
}

}  // namespace voldiff

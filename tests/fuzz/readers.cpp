#include "tests/fuzz/readers.h"

#include "core/error.h"
#include "io/checkpoint/pickle.h"
#include "io/checkpoint/safetensors.h"
#include "io/checkpoint/torch_file.h"
#include "io/checkpoint/torch_objects.h"
#include "io/checkpoint/zip_archive.h"
#include "tests/support/checkpoint_files.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <map>
#include <numeric>

namespace voldiff::fuzz {
namespace {

Blob blob_of(std::string_view bytes) { return {nullptr, bytes}; }

// Reads here what LibTorch, which is not instrumented, would read unseen.
void touch(std::string_view bytes) {
    [[maybe_unused]] const volatile unsigned sum = std::accumulate(bytes.begin(), bytes.end(), 0U);
}

// All bytes from the first element of a tensor to its last.
void touch(const at::Tensor& tensor) {
    if (tensor.numel() == 0) {
        return;
    }
    std::int64_t last = 0;
    for (std::int64_t axis = 0; axis < tensor.dim(); ++axis) {
        last += (tensor.size(axis) - 1) * tensor.stride(axis);
    }
    touch({static_cast<const char*>(tensor.data_ptr()), static_cast<std::size_t>(last + 1) * tensor.element_size()});
}

void touch(const Checkpoint& checkpoint) {
    for (const auto* tensors : {&checkpoint.weights, &checkpoint.extra_tensors}) {
        for (const auto& item : *tensors) {
            touch(item.key());
            touch(item.value());
        }
    }
}

// The archive around a pickle, with the storages that it asks for, as far as they are small, and one source for all of
// its modules. Made afresh, since a CRC-32 would hide the pickle from mutations of an archive.
std::string archive_of(std::string_view source, std::string_view code) {
    constexpr std::uint64_t kLargest = 4096;
    std::map<std::string, std::string> records;
    const auto pickle = parse_pickle(code);
    for (const auto& value : pickle.values) {
        if (const auto reference = storage_reference(value)) {
            records.emplace("a/data/" + reference->key, std::string(std::min(reference->size, kLargest), '\1'));
        } else if (value.kind == PickleValue::Kind::global && value.text.substr(0, 9) == "__torch__") {
            std::string path(value.text);
            std::replace(path.begin(), path.end(), '.', '/');
            records.emplace("a/code/" + path + ".py", source);
        }
    }
    std::vector<test::ZipRecord> list{{"a/data.pkl", std::string(code)}};
    for (const auto& [name, content] : records) {
        list.push_back({name, content});
    }
    return test::zip_file(list);
}

void read_zip(std::string_view bytes) {
    ZipArchive archive(blob_of(bytes));
    for (const auto& name : archive.names()) {
        try {
            touch(archive.read(name).bytes);
        } catch (const Error&) {  // the next record may be whole
        }
    }
    touch(read_torch_zip(blob_of(bytes)));
}

void read_pickle(std::string_view bytes) { touch(read_torch_zip(blob_of(archive_of("", bytes)))); }

// Source and pickle with a zero between.
void read_torchscript(std::string_view bytes) {
    const auto source = bytes.substr(0, bytes.find('\0'));
    touch(read_torch_zip(blob_of(archive_of(source, bytes.substr(std::min(source.size() + 1, bytes.size()))))));
}

void read_legacy(std::string_view bytes) { touch(read_torch_legacy(blob_of(bytes))); }

void read_safetensors_file(std::string_view bytes) { touch(read_safetensors(blob_of(bytes))); }

template <ReadBytes read>
void read_or_refuse(std::string_view bytes) {
    try {
        read(bytes);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::weights) {
            throw;
        }
    }
}

}  // namespace

const std::vector<Reader>& checkpoint_readers() {
    static const std::vector<Reader> kReaders{
        {"zip", read_or_refuse<read_zip>},
        {"pickle", read_or_refuse<read_pickle>},
        {"torchscript", read_or_refuse<read_torchscript>},
        {"legacy", read_or_refuse<read_legacy>},
        {"safetensors", read_or_refuse<read_safetensors_file>},
    };
    return kReaders;
}

const std::vector<Reader>& readers() {
    static const std::vector<Reader> all = [] {
        std::vector<Reader> list = checkpoint_readers();
        list.insert(list.end(), text_readers().begin(), text_readers().end());
        return list;
    }();
    return all;
}

}  // namespace voldiff::fuzz

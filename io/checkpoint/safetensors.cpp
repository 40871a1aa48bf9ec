#include "io/checkpoint/safetensors.h"

#include "io/checkpoint/byte_reader.h"
#include "io/checkpoint/dtype.h"
#include "io/checkpoint/safetensors_header.h"
#include "io/checkpoint/tensor_view.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>

namespace voldiff {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLongestHeader = 16ULL << 20ULL;  // enough for 100,000 tensors
constexpr const char* kMetadataKey = "__metadata__";

struct Entry {
    std::string name;
    TensorLayout layout;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

std::uint64_t unsigned_of(const json& value, const char* what) {
    if (!value.is_number_unsigned()) {
        refuse_weights(what, " holds ", in_quotes(value.dump(-1, ' ', true, json::error_handler_t::replace)),
                       ", expected a whole number");
    }
    return value.get<std::uint64_t>();
}

const json& array_of(const json& tensor, const char* key) {
    const auto found = tensor.find(key);
    if (found == tensor.end() || !found->is_array()) {
        refuse_weights("has no list ", in_quotes(key));
    }
    return *found;
}

at::ScalarType dtype_in_header(const json& tensor) {
    const auto found = tensor.find("dtype");
    const auto name = found != tensor.end() && found->is_string() ? found->get<std::string>() : std::string();
    const auto dtype = dtype_from_safetensors_name(name);
    if (!dtype) {
        refuse_weights("has dtype ", in_quotes(name), ", expected F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL");
    }
    return *dtype;
}

Entry read_entry(const std::string& name, const json& tensor, std::uint64_t data_size) {
    if (!is_usable_name(name)) {
        refuse_weights("has a name that is too long or holds control characters");
    }
    if (!tensor.is_object()) {
        refuse_weights("is not described by an object");
    }
    Entry entry;
    entry.name = name;
    entry.layout.dtype = dtype_in_header(tensor);
    for (const auto& size : array_of(tensor, "shape")) {
        entry.layout.sizes.push_back(static_cast<std::int64_t>(unsigned_of(size, "shape")));
    }
    const auto& offsets = array_of(tensor, "data_offsets");
    if (offsets.size() != 2) {
        refuse_weights("has ", offsets.size(), " data_offsets, expected 2");
    }
    entry.begin = unsigned_of(offsets[0], "data_offsets");
    entry.end = unsigned_of(offsets[1], "data_offsets");
    if (entry.begin > entry.end || entry.end > data_size) {
        refuse_weights("is said to be at bytes ", entry.begin, " to ", entry.end, " of ", data_size,
                       "; the file is cut short or damaged");
    }
    const auto bytes =
        static_cast<std::uint64_t>(element_count(entry.layout.sizes)) * c10::elementSize(entry.layout.dtype);
    entry.layout.strides = contiguous_strides(entry.layout.sizes);
    if (bytes != entry.end - entry.begin) {
        refuse_weights("needs ", bytes, " bytes for its shape, but has ", entry.end - entry.begin);
    }
    return entry;
}

// In the order of the data.
std::vector<Entry> read_entries(const json& header, std::uint64_t data_size) {
    std::vector<Entry> entries;
    for (const auto& [name, tensor] : header.items()) {
        if (name == kMetadataKey) {
            continue;
        }
        try {
            entries.push_back(read_entry(name, tensor, data_size));
        } catch (const Error& error) {
            throw error.within("tensor " + in_quotes(name));
        }
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    return entries;
}

void check_coverage(const std::vector<Entry>& entries, std::uint64_t data_size) {
    std::uint64_t position = 0;
    for (const auto& entry : entries) {
        if (entry.begin != position) {
            refuse_weights("tensor ", in_quotes(entry.name), " begins at byte ", entry.begin, " of the data, expected ",
                           position, ": tensors overlap or leave a gap");
        }
        position = entry.end;
    }
    if (position != data_size) {
        refuse_weights("holds ", data_size, " bytes of data, expected ", position, "; the file is damaged");
    }
}

std::map<std::string, std::string> read_metadata(const json& header) {
    std::map<std::string, std::string> metadata;
    const auto found = header.find(kMetadataKey);
    if (found == header.end()) {
        return metadata;
    }
    for (const auto& [key, value] : found->items()) {
        if (!found->is_object() || !value.is_string()) {
            refuse_weights("the metadata is not a map of texts");
        }
        metadata.emplace(key, value.get<std::string>());
    }
    return metadata;
}

at::Tensor read_tensor(const Entry& entry, const Blob& data) {
    try {
        const auto bytes = data.part(entry.begin, entry.end - entry.begin);
        return view_as_tensor(typed_storage(bytes, entry.layout.dtype), entry.layout);
    } catch (const Error& error) {
        throw error.within("tensor " + in_quotes(entry.name));
    }
}

}  // namespace

bool is_safetensors(std::string_view bytes) { return bytes.size() > sizeof(std::uint64_t) && bytes[8] == '{'; }

Checkpoint read_safetensors(const Blob& file) {
    ByteReader reader(file.bytes);
    const auto length = reader.take_number<std::uint64_t>();
    if (length > kLongestHeader || length > reader.rest().size()) {
        refuse_weights("claims a header of ", length, " bytes, but ", reader.rest().size(), " follow (at most ",
                       kLongestHeader, " are read); the file is cut short or damaged");
    }
    const auto header = parse_safetensors_header(reader.take(length));
    const auto data = file.part(reader.position(), reader.rest().size());
    const auto entries = read_entries(header, data.bytes.size());
    check_coverage(entries, data.bytes.size());
    Checkpoint checkpoint;
    checkpoint.format = "safetensors";
    checkpoint.metadata = read_metadata(header);
    for (const auto& entry : entries) {
        checkpoint.weights.insert(entry.name, read_tensor(entry, data));
    }
    return checkpoint;
}

}  // namespace voldiff

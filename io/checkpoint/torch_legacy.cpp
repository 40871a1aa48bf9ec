#include "io/checkpoint/byte_reader.h"
#include "io/checkpoint/torch_file.h"
#include "io/checkpoint/torch_objects.h"
#include "io/checkpoint/weights_finder.h"

#include <algorithm>

namespace voldiff {
namespace {

using Kind = PickleValue::Kind;
using namespace std::string_view_literals;

constexpr std::string_view kMagic =
    "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv;  // torch/serialization.py, MAGIC_NUMBER
constexpr std::int64_t kProtocolVersion = 1001;

Pickle take_pickle(ByteReader& reader, const char* what) {
    try {
        auto pickle = parse_pickle(reader.rest());
        reader.take(pickle.size);
        return pickle;
    } catch (const Error& error) {
        throw error.within(std::string(what) + " (from byte " + std::to_string(reader.position()) + ")");
    }
}

void check_version(const Pickle& version, const Pickle& system) {
    if (version.root->kind != Kind::integer || version.root->integer != kProtocolVersion) {
        refuse_weights("has another version of the old torch.save format than ", kProtocolVersion);
    }
    for (const auto& [key, value] : system.root->items) {
        if (key->text == "little_endian" && value->kind == Kind::boolean && value->integer == 0) {
            refuse_weights("was saved on a big-endian machine; save it again on another");
        }
    }
}

std::map<std::string, StorageReference> references_in(const Pickle& pickle) {
    std::map<std::string, StorageReference> result;
    for (const auto& value : pickle.values) {
        const auto reference = storage_reference(value);
        if (!reference) {
            continue;
        }
        const auto known = result.emplace(reference->key, *reference).first;
        if (known->second.dtype != reference->dtype || known->second.size != reference->size) {
            refuse_weights("storage ", in_quotes(reference->key), " is described in two ways");
        }
    }
    return result;
}

Blob take_storage(ByteReader& reader, const Blob& file, const StorageReference& reference) {
    const auto elements = reader.take_number<std::uint64_t>();
    if (elements != reference.size / c10::elementSize(reference.dtype)) {
        refuse_weights("holds ", elements, " elements, but its tensors need ",
                       reference.size / c10::elementSize(reference.dtype));
    }
    const auto start = reader.position();
    reader.take(reference.size);
    return file.part(start, reference.size);
}

std::map<std::string, Blob> take_storages(ByteReader& reader, const Blob& file, const Pickle& object) {
    const auto keys = take_pickle(reader, "the list of storages");
    const auto references = references_in(object);
    std::map<std::string, Blob> storages;
    for (const auto* element : keys.root->elements) {
        const std::string key(element->text);
        const auto reference = references.find(key);
        if (reference == references.end() || storages.count(key) != 0) {
            refuse_weights("lists a storage ", in_quotes(key), " that no tensor uses, or lists it twice");
        }
        try {
            storages.emplace(key, take_storage(reader, file, reference->second));
        } catch (const Error& error) {
            throw error.within("storage " + in_quotes(key));
        }
    }
    for (const auto& [key, reference] : references) {
        if (storages.count(key) == 0) {
            refuse_weights("storage ", in_quotes(key), " is missing from the file");
        }
    }
    return storages;
}

}  // namespace

bool is_torch_legacy(std::string_view bytes) {
    constexpr std::size_t kLongestPrefix = 32;  // protocol, frame and length stand before the magic number
    return !bytes.empty() && bytes.front() == '\x80' &&
           bytes.substr(0, kLongestPrefix).find(kMagic) != std::string_view::npos;
}

Checkpoint read_torch_legacy(const Blob& file) {
    ByteReader reader(file.bytes);
    const auto magic = take_pickle(reader, "the magic number");
    if (magic.root->text != kMagic) {
        refuse_weights("does not begin with the magic number of torch.save");
    }
    const auto version = take_pickle(reader, "the version");
    const auto system = take_pickle(reader, "the description of the machine");
    check_version(version, system);
    const auto object = take_pickle(reader, "the description of the tensors");
    const auto storages = take_storages(reader, file, object);
    TensorReader tensors([&](const StorageReference& reference) { return storages.at(reference.key); });
    Checkpoint checkpoint;
    checkpoint.format = "torch legacy";
    find_weights(object, tensors, checkpoint);
    return checkpoint;
}

}  // namespace voldiff

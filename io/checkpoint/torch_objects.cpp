#include "io/checkpoint/torch_objects.h"

#include "io/checkpoint/dtype.h"
#include "io/checkpoint/message.h"
#include "io/checkpoint/numpy_scalar.h"
#include "io/checkpoint/tensor_view.h"

#include <algorithm>
#include <array>
#include <set>

namespace voldiff {
namespace {

using Kind = PickleValue::Kind;

enum class Meaning { mapping, tensor, wrapped_tensor, wrapped_call, part };

struct Constructor {
    std::string_view module_name;
    std::string_view name;
    Meaning meaning;
};

// torch/_utils.py, torch/_tensor.py. `wrapped_tensor`: the first argument is the tensor; `wrapped_call`: the arguments
// are a function of this table, a type, and the arguments of the function; `part`: belongs to another object.
constexpr std::array<Constructor, 13> kConstructors{{
    {"collections", "OrderedDict", Meaning::mapping},
    {"torch._utils", "_rebuild_tensor", Meaning::tensor},
    {"torch._utils", "_rebuild_tensor_v2", Meaning::tensor},
    {"torch._utils", "_rebuild_tensor_v3", Meaning::tensor},
    {"torch._utils", "_rebuild_parameter", Meaning::wrapped_tensor},
    {"torch._utils", "_rebuild_parameter_with_state", Meaning::wrapped_tensor},
    {"torch.nn.parameter", "Parameter", Meaning::wrapped_tensor},
    {"torch._tensor", "_rebuild_from_type", Meaning::wrapped_call},
    {"torch._tensor", "_rebuild_from_type_v2", Meaning::wrapped_call},
    {"numpy.core.multiarray", "scalar", Meaning::part},
    {"numpy._core.multiarray", "scalar", Meaning::part},
    {"numpy", "dtype", Meaning::part},
    {"_codecs", "encode", Meaning::part},
}};

const Constructor* constructor_of(const PickleValue& value) {
    const auto* callable = value.kind == Kind::object ? value.callable : &value;
    const auto* found = std::find_if(kConstructors.begin(), kConstructors.end(), [&](const Constructor& known) {
        return callable->is_global(known.module_name, known.name);
    });
    return found == kConstructors.end() ? nullptr : found;
}

bool is(const PickleValue& value, Meaning meaning) {
    const auto* constructor = value.kind == Kind::object ? constructor_of(value) : nullptr;
    return constructor != nullptr && constructor->meaning == meaning;
}

// --- mappings

std::string checked_key(const PickleValue& key, std::set<std::string_view>& seen) {
    if (key.kind != Kind::string) {
        refuse_weights("a dict has ", describe(key), " as a key, expected texts");
    }
    if (!is_usable_name(key.text)) {
        refuse_weights("the key ", in_quotes(key.text), " is too long or holds control characters");
    }
    if (!seen.insert(key.text).second) {
        refuse_weights("the key ", in_quotes(key.text), " appears twice");
    }
    return std::string(key.text);
}

// Python 2 gave OrderedDict its entries as a list of pairs.
std::vector<std::pair<const PickleValue*, const PickleValue*>> entries_of(const PickleValue& mapping) {
    if (mapping.kind == Kind::dict || mapping.arguments->elements.empty()) {
        return mapping.items;
    }
    std::vector<std::pair<const PickleValue*, const PickleValue*>> entries;
    for (const auto* pair : mapping.arguments->elements.front()->elements) {
        if (pair->elements.size() != 2) {
            refuse_weights("an OrderedDict holds ", describe(*pair), ", expected pairs");
        }
        entries.emplace_back(pair->elements[0], pair->elements[1]);
    }
    entries.insert(entries.end(), mapping.items.begin(), mapping.items.end());
    return entries;
}

// --- tensors

const PickleValue& argument(const std::vector<const PickleValue*>& arguments, std::size_t index) {
    if (index >= arguments.size()) {
        refuse_weights("is rebuilt from ", arguments.size(), " values, expected more");
    }
    return *arguments[index];
}

std::int64_t integer_of(const PickleValue& value) {
    if (value.kind != Kind::integer) {
        refuse_weights("is rebuilt from ", describe(value), " where an integer is expected");
    }
    return value.integer;
}

std::vector<std::int64_t> integers_of(const PickleValue& value) {
    if (value.kind != Kind::tuple && value.kind != Kind::list) {
        refuse_weights("is rebuilt from ", describe(value), " where a tuple of integers is expected");
    }
    std::vector<std::int64_t> integers;
    for (const auto* element : value.elements) {
        integers.push_back(integer_of(*element));
    }
    return integers;
}

at::ScalarType dtype_of(const PickleValue& global) {
    const auto dtype = global.kind == Kind::global ? dtype_from_torch_name(global.name) : std::nullopt;
    if (!dtype || global.text.substr(0, 5) != "torch") {
        refuse_weights("has elements of ", describe(global),
                       ", expected float16, bfloat16, float32, float64, bool or an integer type of at most 64 bits");
    }
    return *dtype;
}

std::uint64_t byte_count(std::int64_t elements, at::ScalarType dtype) {
    constexpr std::int64_t kMostElements = std::int64_t{1} << 58;
    if (elements < 0 || elements > kMostElements) {
        refuse_weights("has a storage of ", elements, " elements");
    }
    return static_cast<std::uint64_t>(elements) * c10::elementSize(dtype);
}

// Every tensor of a storage repeats its key.
std::string checked_storage_key(const PickleValue& key) {
    if (!is_usable_name(key.text)) {
        refuse_weights("the storage key ", in_quotes(key.text), " is too long or holds control characters");
    }
    return std::string(key.text);
}

// The call that makes the tensor, with wrappers such as Parameter taken off; null where there is none.
struct TensorCall {
    const PickleValue* function = nullptr;
    const PickleValue* arguments = nullptr;
};

TensorCall tensor_call(const PickleValue& value) {
    constexpr int kMostWrappers = 8;
    const auto* inner = &value;
    for (int depth = 0; depth < kMostWrappers; ++depth) {
        if (is(*inner, Meaning::tensor)) {
            return {inner->callable, inner->arguments};
        }
        if (is(*inner, Meaning::wrapped_call)) {
            const auto& function = argument(inner->arguments->elements, 0);
            const auto* constructor = constructor_of(function);
            const bool known = function.kind == Kind::global && constructor && constructor->meaning == Meaning::tensor;
            return known ? TensorCall{&function, &argument(inner->arguments->elements, 2)} : TensorCall{};
        }
        if (!is(*inner, Meaning::wrapped_tensor)) {
            return {};
        }
        inner = &argument(inner->arguments->elements, 0);
    }
    return {};
}

// Bits of complex tensors and views of them, which change what the bytes mean. Many tensors may share one dict of them.
void refuse_lazy_bits(const PickleValue& metadata) {
    constexpr std::size_t kMostBits = 64;
    if (metadata.items.size() > kMostBits) {
        refuse_weights("has ", metadata.items.size(), " entries of metadata, expected at most ", kMostBits);
    }
    for (const auto& [key, value] : metadata.items) {
        if ((key->text == "conj" || key->text == "neg") && value->integer != 0) {
            refuse_weights("is a lazily negated or conjugated view; save a clone() of it");
        }
    }
}

TensorLayout layout_of(const std::vector<const PickleValue*>& arguments, at::ScalarType dtype) {
    return {dtype, integer_of(argument(arguments, 1)), integers_of(argument(arguments, 2)),
            integers_of(argument(arguments, 3))};
}

}  // namespace

std::optional<MappingItems> mapping_of(const PickleValue& value) {
    if (value.kind != Kind::dict && !is(value, Meaning::mapping)) {
        return std::nullopt;
    }
    MappingItems result;
    std::set<std::string_view> seen;
    for (const auto& [key, item] : entries_of(value)) {
        result.emplace_back(checked_key(*key, seen), item);
    }
    return result;
}

std::optional<double> number_of(const PickleValue& value) {
    if (value.kind == Kind::integer) {
        return static_cast<double>(value.integer);
    }
    return value.kind == Kind::real ? std::optional(value.real) : numpy_scalar(value);
}

std::optional<StorageReference> storage_reference(const PickleValue& value, std::optional<at::ScalarType> dtype) {
    if (value.kind != Kind::persistent || value.elements.front()->elements.empty() ||
        value.elements.front()->elements.front()->text != "storage") {
        return std::nullopt;
    }
    const auto& id = value.elements.front()->elements;  // "storage", class, key, device, elements, view or None
    const auto stored_as = dtype_of(argument(id, 1));
    StorageReference reference;
    reference.key = checked_storage_key(argument(id, 2));
    reference.dtype = dtype.value_or(stored_as);
    reference.size = byte_count(integer_of(argument(id, 4)), stored_as);
    reference.view_size = reference.size;
    if (id.size() > 5 && id[5]->kind == Kind::tuple) {  // key of the view, first element, elements
        reference.view_offset = byte_count(integer_of(argument(id[5]->elements, 1)), stored_as);
        reference.view_size = byte_count(integer_of(argument(id[5]->elements, 2)), stored_as);
    }
    if (reference.view_offset > reference.size || reference.view_size > reference.size - reference.view_offset) {
        refuse_weights("is a view of ", reference.view_size, " bytes from byte ", reference.view_offset,
                       " of a storage of ", reference.size);
    }
    return reference;
}

Blob TensorReader::storage(const StorageReference& reference) {
    const auto key = std::make_pair(reference.key, reference.dtype);
    auto found = storages_.find(key);
    if (found == storages_.end()) {
        found = storages_.emplace(key, typed_storage(load_(reference), reference.dtype)).first;
    }
    return found->second.part(reference.view_offset, reference.view_size);
}

at::Tensor TensorReader::rebuild(const PickleValue& function, const std::vector<const PickleValue*>& arguments) {
    std::optional<at::ScalarType> dtype;
    std::size_t metadata = 6;
    if (function.name == "_rebuild_tensor_v3") {
        dtype = dtype_of(argument(arguments, 6));
        metadata = 7;
    }
    const auto reference = storage_reference(argument(arguments, 0), dtype);
    if (!reference) {
        refuse_weights("is rebuilt from ", describe(argument(arguments, 0)), ", expected a storage");
    }
    if (arguments.size() > metadata) {
        refuse_lazy_bits(*arguments[metadata]);
    }
    return view_as_tensor(storage(*reference), layout_of(arguments, reference->dtype));
}

std::optional<at::Tensor> TensorReader::read(const std::string& name, const PickleValue& value) {
    try {
        const auto call = tensor_call(value);
        return call.function ? std::optional(rebuild(*call.function, call.arguments->elements)) : std::nullopt;
    } catch (const Error& error) {
        throw error.within("tensor " + in_quotes(name));
    }
}

std::size_t count_foreign_objects(const Pickle& pickle) {
    return static_cast<std::size_t>(std::count_if(
        pickle.values.begin(), pickle.values.end(),
        [](const PickleValue& value) { return value.kind == Kind::object && constructor_of(value) == nullptr; }));
}

}  // namespace voldiff

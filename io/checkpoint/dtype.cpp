#include "io/checkpoint/dtype.h"

#include <algorithm>
#include <array>

namespace voldiff {
namespace {

struct DtypeNames {
    at::ScalarType dtype;
    std::string_view storage;
    std::string_view torch;
    std::string_view safetensors;
};

constexpr std::array<DtypeNames, 10> kDtypes{{
    {at::kDouble, "DoubleStorage", "float64", "F64"},
    {at::kFloat, "FloatStorage", "float32", "F32"},
    {at::kHalf, "HalfStorage", "float16", "F16"},
    {at::kBFloat16, "BFloat16Storage", "bfloat16", "BF16"},
    {at::kLong, "LongStorage", "int64", "I64"},
    {at::kInt, "IntStorage", "int32", "I32"},
    {at::kShort, "ShortStorage", "int16", "I16"},
    {at::kChar, "CharStorage", "int8", "I8"},
    {at::kByte, "ByteStorage", "uint8", "U8"},
    {at::kBool, "BoolStorage", "bool", "BOOL"},
}};

template <class Predicate>
const DtypeNames* find_dtype(Predicate predicate) {
    const auto* found = std::find_if(kDtypes.begin(), kDtypes.end(), predicate);
    return found == kDtypes.end() ? nullptr : found;
}

}  // namespace

std::optional<at::ScalarType> dtype_from_torch_name(std::string_view name) {
    // A storage without type counts bytes.
    if (name == "UntypedStorage" || name == "_UntypedStorage") {
        return at::kByte;
    }
    const auto* found = find_dtype([&](const DtypeNames& row) { return row.storage == name || row.torch == name; });
    return found ? std::optional(found->dtype) : std::nullopt;
}

std::optional<at::ScalarType> dtype_from_safetensors_name(std::string_view name) {
    const auto* found = find_dtype([&](const DtypeNames& row) { return row.safetensors == name; });
    return found ? std::optional(found->dtype) : std::nullopt;
}

std::string_view torch_storage_name(at::ScalarType dtype) {
    const auto* found = find_dtype([&](const DtypeNames& row) { return row.dtype == dtype; });
    return found ? found->storage : std::string_view();
}

std::string_view safetensors_name(at::ScalarType dtype) {
    const auto* found = find_dtype([&](const DtypeNames& row) { return row.dtype == dtype; });
    return found ? found->safetensors : std::string_view();
}

}  // namespace voldiff

#include "io/checkpoint/numpy_scalar.h"

#include <array>
#include <cstring>
#include <string>

namespace voldiff {
namespace {

using Kind = PickleValue::Kind;

constexpr std::size_t kLongest = 8;

bool is_call(const PickleValue& value, std::string_view module_name, std::string_view name, std::size_t arguments) {
    return value.kind == Kind::object && value.callable->is_global(module_name, name) &&
           value.arguments->elements.size() >= arguments;
}

// Protocol 2 has no bytes: they are written as text of the code points 0 to 255.
std::optional<std::string> bytes_of(const PickleValue& value) {
    if (value.kind == Kind::bytes || value.kind == Kind::string) {
        return std::string(value.text.substr(0, kLongest + 1));
    }
    if (!is_call(value, "_codecs", "encode", 1)) {
        return std::nullopt;
    }
    const auto text = value.arguments->elements[0]->text.substr(0, 2 * kLongest + 1);
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead >= 0x80U && i + 1 < text.size()) {
            bytes += static_cast<char>((lead << 6U) | (static_cast<unsigned char>(text[++i]) & 0x3fU));
        } else {
            bytes += static_cast<char>(lead);
        }
    }
    return bytes;
}

// "f8", "i4", ...; empty for big-endian types.
std::string_view type_of(const PickleValue& dtype) {
    if (!is_call(dtype, "numpy", "dtype", 1) || dtype.state == nullptr || dtype.state->elements.size() < 2 ||
        dtype.state->elements[1]->text == ">") {
        return {};
    }
    return dtype.arguments->elements[0]->text;
}

template <class Number>
std::optional<double> decode(const std::string& bytes) {
    if (bytes.size() != sizeof(Number)) {
        return std::nullopt;
    }
    Number number;
    std::memcpy(&number, bytes.data(), sizeof(Number));
    return static_cast<double>(number);
}

struct NumberType {
    std::string_view name;
    std::optional<double> (*decode)(const std::string&);
};

constexpr std::array<NumberType, 10> kNumberTypes{{
    {"f8", decode<double>},
    {"f4", decode<float>},
    {"i8", decode<std::int64_t>},
    {"i4", decode<std::int32_t>},
    {"i2", decode<std::int16_t>},
    {"i1", decode<std::int8_t>},
    {"u8", decode<std::uint64_t>},
    {"u4", decode<std::uint32_t>},
    {"u2", decode<std::uint16_t>},
    {"u1", decode<std::uint8_t>},
}};

}  // namespace

std::optional<double> numpy_scalar(const PickleValue& value) {
    if (!is_call(value, "numpy.core.multiarray", "scalar", 2) &&
        !is_call(value, "numpy._core.multiarray", "scalar", 2)) {
        return std::nullopt;
    }
    const auto type = type_of(*value.arguments->elements[0]);
    const auto bytes = bytes_of(*value.arguments->elements[1]);
    for (const auto& known : kNumberTypes) {
        if (bytes && known.name == type) {
            return known.decode(*bytes);
        }
    }
    return std::nullopt;
}

}  // namespace voldiff

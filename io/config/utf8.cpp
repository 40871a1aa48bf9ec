#include "io/config/utf8.h"

namespace voldiff {

namespace {

bool is_continuation(unsigned char byte) { return (byte & 0xC0U) == 0x80; }

// Bytes of the character that starts at `i`; 0 where none does.
std::size_t character_length(const std::string& text, std::size_t i) {
    const auto byte = [&](std::size_t k) { return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U; };
    const unsigned first = byte(i);
    if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? (first != 0x7F) : 0;
    if (first < 0xC2 || first > 0xF4 || !is_continuation(byte(i + 1))) return 0;
    if (first < 0xE0) return 2;
    const unsigned second = byte(i + 1);
    if (!is_continuation(byte(i + 2))) return 0;
    if (first < 0xF0) {
        const bool overlong = first == 0xE0 && second < 0xA0;
        const bool surrogate = first == 0xED && second > 0x9F;
        return overlong || surrogate ? 0 : 3;
    }
    const bool outside = (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
    return outside || !is_continuation(byte(i + 3)) ? 0 : 4;
}

}  // namespace

std::size_t find_non_text(const std::string& text) {
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = character_length(text, i);
        if (length == 0) return i;
        i += length;
    }
    return std::string::npos;
}

}  // namespace voldiff

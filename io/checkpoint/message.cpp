#include "io/checkpoint/message.h"

#include <algorithm>

namespace voldiff {

std::string in_quotes(std::string_view text) {
    constexpr std::size_t kLongest = 80;
    std::string result = "'";
    for (const char c : text.substr(0, kLongest)) {
        result += (c >= ' ' && c <= '~') ? c : '?';
    }
    return result + (text.size() > kLongest ? "...'" : "'");
}

bool is_usable_name(std::string_view name) {
    constexpr std::size_t kLongest = 1000;
    const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
    return name.size() <= kLongest && std::none_of(name.begin(), name.end(), is_control);
}

}  // namespace voldiff

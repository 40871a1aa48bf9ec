#include "io/checkpoint/message.h"

namespace voldiff {

std::string in_quotes(std::string_view text) {
    constexpr std::size_t kLongest = 80;
    std::string result = "'";
    for (const char c : text.substr(0, kLongest)) {
        result += (c >= ' ' && c <= '~') ? c : '?';
    }
    return result + (text.size() > kLongest ? "...'" : "'");
}

}  // namespace voldiff

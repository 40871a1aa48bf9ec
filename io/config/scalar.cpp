#include "io/config/scalar.h"

#include "core/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

namespace voldiff {

namespace {

constexpr double two_to_63 = 9223372036854775808.0;
constexpr std::size_t max_shown = 60;

template <class Number>
std::optional<Number> parse_whole(const std::string& text) {
    const char* first = text.data();
    const char* last = first + text.size();
    if (text.size() > 1 && *first == '+' && text[1] != '-') ++first;
    Number value{};
    const auto [end, error] = std::from_chars(first, last, value);
    if (error != std::errc() || end != last) return std::nullopt;
    return value;
}

// A bound of an option; 2^63 stands for the largest integer.
std::string format_bound(double bound) {
    if (bound >= two_to_63) return "9223372036854775807";
    const bool integer = std::trunc(bound) == bound && std::abs(bound) < 1e15;
    return integer ? std::to_string(static_cast<std::int64_t>(bound)) : format_number(bound);
}

bool reads_as_text(const std::string& text) {
    const auto plain = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.' || c == '/' || c == '-'; };
    if (text.empty() || !std::all_of(text.begin(), text.end(), plain)) return false;
    const auto first = static_cast<unsigned char>(text.front());
    return std::isalpha(first) || first == '/' || first == '_' || text.compare(0, 2, "./") == 0 || text[0] == '.';
}

bool is_word_of_yaml(const std::string& text) {
    std::string lower = text;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    static const std::array<const char*, 13> words = {"null", "true", "false", "yes",  "no",   "on", "off",
                                                      "y",    "n",    ".nan",  ".inf", "-inf", "nan"};
    return std::find(words.begin(), words.end(), lower) != words.end() || parse_number(text).has_value();
}

}  // namespace

std::optional<std::int64_t> parse_integer(const std::string& text) {
    if (const auto value = parse_whole<std::int64_t>(text)) return value;
    const auto value = parse_number(text);
    if (!value || std::trunc(*value) != *value || std::abs(*value) >= 9007199254740992.0) return std::nullopt;  // 2^53
    return static_cast<std::int64_t>(*value);
}

std::optional<double> parse_number(const std::string& text) {
    const auto value = parse_whole<double>(text);
    return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<bool> parse_bool(const std::string& text) {
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    return std::nullopt;
}

std::string format_number(double value) {
    std::array<char, 32> buffer{};
    const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    return {buffer.data(), result.ptr};
}

std::string quote_if_needed(const std::string& text) {
    if (reads_as_text(text) && !is_word_of_yaml(text)) return text;
    return nlohmann::json(text).dump();  // JSON's strings are YAML's
}

std::string describe(const Node& node) {
    if (node.kind == NodeKind::sequence) return "a list";
    if (node.kind == NodeKind::map) return "a map";
    if (node.kind != NodeKind::scalar) return "empty";
    if (!node.quoted && (parse_number(node.text) || parse_bool(node.text)) && node.text.size() <= max_shown)
        return node.text;
    return show_text(node.text);
}

std::string show_text(const std::string& text) {
    std::string shown = shorten(text, max_shown);
    std::replace_if(
        shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20; }, ' ');
    return "'" + shown + "'";
}

std::string shorten(const std::string& text, std::size_t most) {
    if (text.size() <= most) return text;
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80)
        --end;  // not in the middle of a character
    return text.substr(0, end) + "...";
}

std::string describe_expected(const Option& option, const std::string& noun) {
    if (!option.choices.empty()) return "one of " + join(option.choices);
    const bool low = std::isfinite(option.minimum);
    const bool high = std::isfinite(option.maximum);
    std::string text = noun;
    if (low && high && option.minimum == option.maximum) return text + " equal to " + format_bound(option.minimum);
    if (low && high) return text + " from " + format_bound(option.minimum) + " to " + format_bound(option.maximum);
    if (low) return text + " of at least " + format_bound(option.minimum);
    if (high) return text + " of at most " + format_bound(option.maximum);
    return text;
}

std::string describe_range(const Option& option) {
    if (!option.choices.empty()) return join(option.choices);
    const bool low = std::isfinite(option.minimum);
    const bool high = std::isfinite(option.maximum);
    if (low && high && option.minimum == option.maximum) return format_bound(option.minimum);
    if (low && high) return format_bound(option.minimum) + " to " + format_bound(option.maximum);
    if (low) return ">= " + format_bound(option.minimum);
    if (high) return "<= " + format_bound(option.maximum);
    return "";
}

}  // namespace voldiff

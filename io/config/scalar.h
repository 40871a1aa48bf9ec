// Text of one value <-> numbers and words, the same in every place and locale.
#pragma once

#include "core/option.h"
#include "io/config/node.h"

#include <cstdint>
#include <optional>
#include <string>

namespace voldiff {

// The whole text is the number: "12abc" is none, "3.0" is an integer, "3.5" is none. Nothing for what does not fit.
std::optional<std::int64_t> parse_integer(const std::string& text);
// Finite numbers only; ".nan", "inf" and "1e999" are none.
std::optional<double> parse_number(const std::string& text);
// "true" and "false", also "True" and "TRUE".
std::optional<bool> parse_bool(const std::string& text);

// The shortest text that reads back to the same number; "2" for 2.0, "1e-06".
std::string format_number(double value);

// A string as YAML: as it is where that reads back to the same text, else in double quotes.
std::string quote_if_needed(const std::string& text);

// What a message calls a value: "a list", "nothing", "12", "'abc'".
std::string describe(const Node& node);

// Text in quotes for a message, at most 60 bytes of it, without control characters.
std::string show_text(const std::string& text);
// At most so many bytes, then "...".
std::string shorten(const std::string& text, std::size_t most);

// "an integer from 1 to 1000", "a number of at least 0", "one of auto, whole".
std::string describe_expected(const Option& option, const std::string& noun);
// "1 to 1000", ">= 0", "auto, whole", or "".
std::string describe_range(const Option& option);

}  // namespace voldiff

// What counts as text in a config file.
#pragma once

#include <cstddef>
#include <string>

namespace voldiff {

// Offset of the first byte that is not part of well-formed UTF-8 or is a control character other than tab and line
// ends; npos where all is text. RFC 3629.
std::size_t find_non_text(const std::string& text);

}  // namespace voldiff

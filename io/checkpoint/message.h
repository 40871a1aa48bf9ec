// Parts of error messages about damaged files, whose names and keys may hold anything.
#pragma once

#include "core/error.h"

#include <c10/util/StringUtil.h>

#include <string>
#include <string_view>

namespace voldiff {

// `text` in quotes, cut to 80 characters, with '?' for everything that is not printable ASCII.
std::string in_quotes(std::string_view text);

// Whether a tensor or key may have this name: at most 1000 bytes, no control characters.
bool is_usable_name(std::string_view name);

// Throws Error(weights) with the parts put together.
template <class... Parts>
[[noreturn]] void refuse_weights(const Parts&... parts) {
    throw Error(ErrorCode::weights, c10::str(parts...));
}

}  // namespace voldiff

// Seeds on the command line.
#pragma once

#include "core/error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace voldiff {

// "0..7" (both ends included), "0,3,5", "0..3,10": in the order written. Throws Error(usage) for anything else, for an
// end before its beginning, for a seed that is named twice, and for more than 10000.
// `name` is what messages call them, `code` what an Error is.
std::vector<std::int64_t> parse_seeds(const std::string& text, const std::string& name = "--seeds",
                                      ErrorCode code = ErrorCode::usage);

}  // namespace voldiff

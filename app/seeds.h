// Seeds on the command line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace voldiff {

// "0..7" (both ends included), "0,3,5", "0..3,10": in the order written. Throws Error(usage) for anything else, for an
// end before its beginning, for a seed that is named twice, and for more than 10000.
std::vector<std::int64_t> parse_seeds(const std::string& text);

}  // namespace voldiff

// Numbers that training scripts saved as numpy scalars (a loss, say).
#pragma once

#include "io/checkpoint/pickle.h"

#include <optional>

namespace voldiff {

// Value of an integer or float scalar of at most 64 bits; empty for any other value, also a malformed one.
std::optional<double> numpy_scalar(const PickleValue& value);

}  // namespace voldiff

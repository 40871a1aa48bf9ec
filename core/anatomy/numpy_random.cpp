#include "core/anatomy/numpy_random.h"

namespace voldiff {

double NumpyRandom::uniform(double low, double high) {
    const auto upper = static_cast<double>(bits_() >> 5U);  // 27 bits
    const auto lower = static_cast<double>(bits_() >> 6U);  // 26 bits
    return low + (high - low) * ((upper * 67108864 + lower) / 9007199254740992);
}

}  // namespace voldiff

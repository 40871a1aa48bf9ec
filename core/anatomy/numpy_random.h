// numpy's old random generator, numpy.random.RandomState(seed), which draws the augmentations of the reference.
#pragma once

#include <cstdint>
#include <random>

namespace voldiff {

class NumpyRandom {
  public:
    explicit NumpyRandom(std::uint32_t seed) : bits_(seed) {}

    // RandomState.uniform(low, high): in [low, high), with 53 random bits. Also rand(), as uniform(0, 1).
    double uniform(double low = 0, double high = 1);

  private:
    std::mt19937 bits_;
};

}  // namespace voldiff

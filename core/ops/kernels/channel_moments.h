// Mean and variance of each channel of a volume, gathered in parts.
#pragma once

#include <cstddef>
#include <vector>

namespace voldiff::ops {

// Merged by the rule of Chan, Golub and LeVeque (1983), which loses nothing where the mean is far from zero.
struct ChannelMoments {
    double count = 0;             // voxels; the same for all channels
    std::vector<double> mean;     // [C]
    std::vector<double> squares;  // [C], sum of (x - mean)^2

    explicit ChannelMoments(std::size_t channels = 0) : mean(channels), squares(channels) {}
    void merge(const ChannelMoments& other);
};

// One channel of two parts: the part (count_b, mean_b, squares_b) goes into (count_a, mean_a, squares_a).
inline void merge_moments(double count_a, double& mean_a, double& squares_a, double count_b, double mean_b,
                          double squares_b) {
    const double share = count_b / (count_a + count_b);
    const double difference = mean_b - mean_a;
    mean_a += share * difference;
    squares_a += squares_b + difference * difference * share * count_a;
}

inline void ChannelMoments::merge(const ChannelMoments& other) {
    if (other.count == 0) return;
    for (std::size_t c = 0; c < mean.size(); ++c) {
        merge_moments(count, mean[c], squares[c], other.count, other.mean[c], other.squares[c]);
    }
    count += other.count;
}

}  // namespace voldiff::ops

#include "core/metrics/distribution.h"

#include "core/error.h"
#include "core/metrics/slabs.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace voldiff {

namespace {

constexpr int grid_bits = 20;
constexpr std::size_t most_labels = 4096;

// Values are rounded to low + n * step.
struct Grid {
    double low;
    double step;
};

Grid grid_over(const at::Tensor& a, const at::Tensor& b) {
    const double low = std::min(a.min().item<double>(), b.min().item<double>());
    const double high = std::max(a.max().item<double>(), b.max().item<double>());
    int exponent = 0;
    std::frexp(high - low, &exponent);  // high - low < 2^exponent
    return {low, std::ldexp(1, exponent - grid_bits)};
}

// Values at or below each point of the grid. [2^20 + 1]
at::Tensor cumulative_counts(const at::Tensor& values, const Grid& grid) {
    constexpr std::int64_t points = (std::int64_t{1} << grid_bits) + 1;
    at::Tensor counts = at::zeros({points}, at::kLong);
    metrics::for_each_slab(values, values, [&](const at::Tensor& slab, const at::Tensor&) {
        const at::Tensor at_point = (slab - grid.low).div_(grid.step).round_().to(at::kLong);
        counts += at::bincount(at_point.flatten(), {}, points);
    });
    return counts.cumsum(0);
}

float middle(std::vector<float>& values, std::size_t index) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index), values.end());
    return values[index];
}

double median(std::vector<float>& values) {
    const double upper = middle(values, values.size() / 2);
    if (values.size() % 2 == 1) return upper;
    return (upper + middle(values, values.size() / 2 - 1)) / 2;
}

[[noreturn]] void refuse_as_map() {
    throw Error(ErrorCode::config,
                "found more than " + std::to_string(most_labels) + " labels, expected a map of organs");
}

}  // namespace

double histogram_distance(const at::Tensor& a, const at::Tensor& b) {
    if (a.numel() == 0 || b.numel() == 0) throw Error(ErrorCode::config, "a histogram needs voxels, found none");
    const Grid grid = grid_over(a, b);
    const at::Tensor share_a = cumulative_counts(a, grid).to(at::kDouble) / static_cast<double>(a.numel());
    const at::Tensor share_b = cumulative_counts(b, grid).to(at::kDouble) / static_cast<double>(b.numel());
    return (share_a - share_b).abs_().sum().item<double>() * grid.step;
}

std::map<std::int64_t, double> label_medians(const at::Tensor& volume, const at::Tensor& labels) {
    std::map<std::int64_t, std::vector<float>> covered;
    metrics::for_each_slab(volume, labels, [&](const at::Tensor& values, const at::Tensor& owners) {
        const auto* value = values.data_ptr<double>();
        const auto* owner = owners.data_ptr<double>();
        for (std::int64_t i = 0; i < values.numel(); ++i) {
            if (owner[i] != 0) covered[static_cast<std::int64_t>(owner[i])].push_back(static_cast<float>(value[i]));
            if (covered.size() > most_labels) refuse_as_map();
        }
    });
    std::map<std::int64_t, double> medians;
    for (auto& [label, found] : covered) medians[label] = median(found);
    return medians;
}

}  // namespace voldiff

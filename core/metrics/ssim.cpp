#include "core/metrics/ssim.h"

#include "core/error.h"
#include "core/metrics/slabs.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

namespace voldiff {

namespace {

constexpr double sigma = 1.5;  // voxels
constexpr double k1 = 0.01;
constexpr double k2 = 0.03;

using WindowWeights = std::array<double, ssim_window>;

WindowWeights gaussian() {
    WindowWeights weights{};
    double sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double distance = (static_cast<double>(i) - (ssim_window - 1) / 2.0) / sigma;
        weights[i] = std::exp(-distance * distance / 2);
        sum += weights[i];
    }
    for (double& weight : weights) weight /= sum;
    return weights;
}

// to[i] = sum over the window of weights[k] * from[i + k * step]
void weigh(const WindowWeights& weights, const double* from, double* to, std::int64_t count, std::int64_t step) {
    for (std::int64_t i = 0; i < count; ++i) {
        double sum = 0;
        for (std::int64_t k = 0; k < ssim_window; ++k) sum += weights[static_cast<std::size_t>(k)] * from[i + k * step];
        to[i] = sum;
    }
}

// Weighted means along one axis, which becomes ssim_window - 1 shorter. With the axes behind it as one, the values of
// an outer index are contiguous, and neighbours along the axis are `step` apart.
at::Tensor smooth(const at::Tensor& x, std::int64_t axis, const WindowWeights& weights) {
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape[static_cast<std::size_t>(axis)] -= ssim_window - 1;
    at::Tensor y = at::empty(shape, x.options());
    const std::int64_t step = x.stride(axis);
    const std::int64_t row_in = x.size(axis) * step;
    const std::int64_t row_out = y.size(axis) * step;
    const auto* from = x.data_ptr<double>();
    auto* to = y.data_ptr<double>();
    for (std::int64_t row = 0; row < x.numel() / row_in; ++row)
        weigh(weights, from + row * row_in, to + row * row_out, row_out, step);
    return y;
}

// Means over all windows that lie inside.
at::Tensor window_means(const at::Tensor& x, const WindowWeights& weights) {
    return smooth(smooth(smooth(x, 2, weights), 1, weights), 0, weights);
}

// The sum over the windows of one slab.
double sum_of_ssim(const at::Tensor& x, const at::Tensor& y, const WindowWeights& weights, double range) {
    const double c1 = k1 * range * k1 * range;
    const double c2 = k2 * range * k2 * range;
    const at::Tensor mean_x = window_means(x, weights);
    const at::Tensor mean_y = window_means(y, weights);
    const at::Tensor means = mean_x * mean_y;
    const at::Tensor covariance = window_means(x * y, weights).sub_(means);
    const at::Tensor squares = mean_x.square().add_(mean_y.square());
    const at::Tensor variances = window_means(x.square().add_(y.square()), weights).sub_(squares);
    const at::Tensor contrast = (2 * covariance).add_(c2).div_(variances + c2);
    return (2 * means).add_(c1).div_(squares + c1).mul_(contrast).sum().item<double>();
}

void check_sizes(const at::Tensor& a, const at::Tensor& b, double range) {
    const bool large = a.dim() == 3 && *std::min_element(a.sizes().begin(), a.sizes().end()) >= ssim_window;
    if (a.sizes() == b.sizes() && large && range > 0) return;
    std::ostringstream text;
    text << "SSIM needs two volumes of one size with at least " << ssim_window
         << " voxels along each axis and a data range above 0, found " << a.sizes() << ", " << b.sizes() << " and "
         << range;
    throw Error(ErrorCode::config, text.str());
}

}  // namespace

double ssim_3d(const at::Tensor& a, const at::Tensor& b, double data_range) {
    check_sizes(a, b, data_range);
    constexpr std::int64_t border = ssim_window - 1;
    const WindowWeights weights = gaussian();
    // The planes of a border are computed twice, so a slab has more planes than that.
    const std::int64_t planes = std::max(metrics::planes_of_slab(a) - border, border + border / 2 + 1);
    const std::int64_t all = a.size(0) - border;
    double sum = 0;
    for (std::int64_t begin = 0; begin < all; begin += planes) {
        const std::int64_t end = std::min(begin + planes, all) + border;
        sum += sum_of_ssim(a.slice(0, begin, end).to(at::kDouble).contiguous(),
                           b.slice(0, begin, end).to(at::kDouble).contiguous(), weights, data_range);
    }
    return sum / static_cast<double>(all * (a.size(1) - border) * (a.size(2) - border));
}

}  // namespace voldiff

#include "core/metrics/difference.h"

#include "core/metrics/slabs.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>

namespace voldiff {

double mean_absolute_error(const at::Tensor& a, const at::Tensor& b) {
    double sum = 0;
    metrics::for_each_slab(
        a, b, [&](const at::Tensor& x, const at::Tensor& y) { sum += (x - y).abs_().sum().item<double>(); });
    return sum / static_cast<double>(a.numel());
}

double root_mean_square_error(const at::Tensor& a, const at::Tensor& b) {
    double sum = 0;
    metrics::for_each_slab(
        a, b, [&](const at::Tensor& x, const at::Tensor& y) { sum += (x - y).square_().sum().item<double>(); });
    return std::sqrt(sum / static_cast<double>(a.numel()));
}

double peak_signal_to_noise_ratio(const at::Tensor& a, const at::Tensor& b, double data_range) {
    return 20 * std::log10(data_range / root_mean_square_error(a, b));
}

}  // namespace voldiff

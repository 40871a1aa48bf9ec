// How far the voxels of two volumes are apart. Sums in double precision, memory for a slab of the volume.
//
// Volumes are [X, Y, Z] of one shape, any real type, finite; else Error(config) for the shapes, and a result that is
// not finite. The unit is the volumes' (HU).
#pragma once

#include <ATen/core/Tensor.h>

namespace voldiff {

// mean |a - b|
double mean_absolute_error(const at::Tensor& a, const at::Tensor& b);

// sqrt(mean (a - b)^2)
double root_mean_square_error(const at::Tensor& a, const at::Tensor& b);

// 20 log10(data_range / RMSE) in dB; infinity for equal volumes. Source: MONAI monai/metrics/regression.py (PSNRMetric)
double peak_signal_to_noise_ratio(const at::Tensor& a, const at::Tensor& b, double data_range);

}  // namespace voldiff

// Structural similarity in 3D.
// Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity",
// IEEE Trans. Image Processing 13(4), 2004. Variant: MONAI monai/metrics/regression.py (SSIMMetric, spatial_dims 3,
// kernel_type gaussian), that is: a normalised Gaussian window of 11 voxels and sigma 1.5 voxels along every axis,
// k1 = 0.01, k2 = 0.03, biased (co)variances, only windows that lie wholly inside, the plain mean of all of them. MONAI
// computes in float32; here it is double throughout, which matters where a window is nearly constant.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace voldiff {

constexpr std::int64_t ssim_window = 11;  // voxels

// a, b [X, Y, Z] of one shape, any real type, finite -> 1 for equal volumes, less for others. `data_range` is the
// difference of the largest and the least value that an image may have (2000 for HU clipped to [-1000, 1000]).
// Needs memory for a dozen double slabs of about 4 million voxels (more where 26 planes are more).
// Throws Error(config) where the shapes differ, where an axis is shorter than the window, or for a range of 0.
double ssim_3d(const at::Tensor& a, const at::Tensor& b, double data_range);

}  // namespace voldiff

// Tensors as the kernels see them: channels-last float32 volumes.
#pragma once

#include "core/ops/kernels/norm_kernels.h"
#include "core/ops/norm.h"

#include <ATen/core/Tensor.h>

namespace voldiff::ops {

// A float32 tensor on the CPU that is not empty, while own kernels are on.
bool for_own_kernels(const at::Tensor& x);
bool for_own_kernels(const at::TensorOptions& options);
// x with the channels of a voxel side by side; x itself where it is so already.
at::Tensor channels_last(const at::Tensor& x);
// An uninitialised channels-last volume.
at::Tensor empty_volume(at::IntArrayRef shape, const at::Tensor& like);
// [N, C, D, H, W] and [N, C', D, H, W] -> [N, C + C', D, H, W]
at::Tensor join_channels(const at::Tensor& x, const at::Tensor& y);
// The n-th volume of a channels-last tensor, [D, H, W, C].
float* volume(const at::Tensor& x, std::int64_t n);
// The normalisation of a volume with these moments.
ChannelAffine norm_of_moments(const ChannelMoments& moments, const GroupNormParameters& norm);
// The normalisation of the n-th volume of a channels-last tensor, which is measured.
ChannelAffine norm_of_volume(const at::Tensor& x, std::int64_t n, const GroupNormParameters& norm);

}  // namespace voldiff::ops

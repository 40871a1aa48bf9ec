// Group normalisation, alone and followed by SiLU.
#pragma once

#include "core/ops/kernels/channel_moments.h"

#include <ATen/core/Tensor.h>

#include <vector>

namespace voldiff::ops {

struct GroupNormParameters {
    std::int64_t groups = 1;
    at::Tensor weight;  // [C]
    at::Tensor bias;    // [C]
    double eps = 1e-6;
};

// Mean and variance of the channels of each volume of a batch; empty where nothing measured them.
using VolumeMoments = std::vector<ChannelMoments>;

// x [N, C, ...]; weight and bias [C]. Mean and biased variance of each group of channels (Wu and He 2018).
at::Tensor group_norm(const at::Tensor& x, const GroupNormParameters& norm);

// MAISI's group norm with norm_float16: the normalised value is rounded to float16, and again after the weight and
// after the bias. Source: monai/apps/generation/maisi/networks/autoencoderkl_maisi.py (MaisiGroupNorm3D). -> float16
at::Tensor group_norm_float16(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight,
                              const at::Tensor& bias, double eps);

// silu(group_norm(x)), with one tensor less.
at::Tensor group_norm_silu(const at::Tensor& x, const GroupNormParameters& norm);

}  // namespace voldiff::ops

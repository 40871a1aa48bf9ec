// Doubling and halving of the spatial extents.
#pragma once

#include "core/ops/norm.h"

#include <ATen/core/Tensor.h>

namespace voldiff::ops {

// `zeros`: the voxels of x stand at even places, zeros between them.
enum class Upsampling { none, nearest, trilinear, zeros };

// [N, C, D, H, W] -> [N, C, 2 D, 2 H, 2 W]; trilinear with align_corners false.
at::Tensor upsample_2x(const at::Tensor& x, Upsampling kind);
at::Tensor upsample_nearest_2x(const at::Tensor& x);
at::Tensor upsample_trilinear_2x(const at::Tensor& x);
at::Tensor upsample_zeros_2x(const at::Tensor& x);
// [N, C, D, H, W] -> [N, C, D / 2, H / 2, W / 2], mean of 2 x 2 x 2 voxels; an odd last plane is left out.
at::Tensor average_pool_2x(const at::Tensor& x);
// average_pool_2x(silu(group_norm(x))), without a tensor of the size of x.
at::Tensor average_pool_2x(const at::Tensor& x, const GroupNormParameters& norm);

}  // namespace voldiff::ops

// Convolutions of the blocks, and what comes right before and after them. The one place that decides how they are
// computed: on a CPU in float32 by the kernels in core/ops/kernels, else by LibTorch.
//
// The kernels take and give channels-last tensors (at::MemoryFormat::ChannelsLast3d); other layouts are reordered
// first.
#pragma once

#include "core/ops/norm.h"
#include "core/ops/packed_weights.h"
#include "core/ops/upsample.h"

#include <ATen/core/Tensor.h>

#include <optional>

namespace voldiff::ops {

// The parameters of a layer.
struct ConvParameters {
    at::Tensor weight;                // [K, C, k, k, k]
    at::Tensor bias;                  // [K]
    PackedWeights* packed = nullptr;  // the layer's store of rearranged weights; null: they are rearranged for one call
    std::int64_t stride = 1;
    std::int64_t padding = 1;
};

// A transposed convolution with kernel 3, stride 2, padding 1 and output padding 1, weight [C, K, 3, 3, 3], as the
// convolution of a volume with zeros between its voxels (Upsampling::zeros).
ConvParameters of_transposed(const at::Tensor& weight, const at::Tensor& bias);

// What is done in the same pass: conv3d(upsampled(silu(group_norm(x)))) + shift + residual, any part of it.
//
//   ops::conv3d(x, conv, ops::ConvFusion().norm_silu(norm).plus(residual))
struct ConvFusion {
    std::optional<GroupNormParameters> norm;
    const VolumeMoments* input_moments = nullptr;  // of x, where known: the norm need not measure them
    VolumeMoments* output_moments = nullptr;       // filled where they can be had in the same pass
    Upsampling upsampling = Upsampling::none;
    at::Tensor shift;     // [N, K]
    at::Tensor residual;  // [N, K, D', H', W']

    // of_x: the moments of x where they are known; null or empty: they are measured.
    ConvFusion norm_silu(GroupNormParameters parameters, const VolumeMoments* of_x = nullptr) const;
    // For the norm that comes next; `result` is empty where LibTorch computes the convolution. Null: not measured.
    ConvFusion measuring(VolumeMoments* result) const;
    ConvFusion upsampled(Upsampling kind) const;
    ConvFusion plus_shift(at::Tensor value) const;
    ConvFusion plus(at::Tensor value) const;
};

// x [N, C, D, H, W] -> [N, K, D', H', W'], zero padding on both sides.
at::Tensor conv3d(const at::Tensor& x, const ConvParameters& parameters, const ConvFusion& fusion = {});
at::Tensor conv3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                  std::int64_t padding);

// The transpose of a convolution. weight [C, K, k, k, k].
at::Tensor conv_transpose3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                            std::int64_t padding, std::int64_t output_padding);

}  // namespace voldiff::ops

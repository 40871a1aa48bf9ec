#include "core/ops/planes/plane_layers.h"

#include "core/error.h"
#include "core/ops/kernels/linear.h"
#include "core/ops/planes/mapped_planes.h"
#include "core/ops/planes/plane_conv_layer.h"
#include "core/ops/volumes.h"

#include <ATen/core/Tensor.h>

#include <algorithm>

namespace voldiff::ops {

namespace {

constexpr double work_of_norm = 30;  // a guess: multiplications of a matrix product that take as long, for a value
constexpr std::int64_t pointwise_voxels = 4096;

Planes pointwise(Planes x, const ConvParameters& conv) {
    const std::int64_t inputs = x->channels();
    const std::int64_t outputs = conv.weight.size(0);
    const std::int64_t voxels = x->plane_size() / inputs;
    const auto packed = std::make_shared<PackedLinear>();
    if (!x->run().rehearsal()) {
        *packed = pack_linear(static_cast<std::size_t>(outputs), static_cast<std::size_t>(inputs),
                              conv.weight.contiguous().data_ptr<float>(), conv.bias.contiguous().data_ptr<float>());
    }
    // In parts, and not right into `out`: that may be the memory of `in`, where the parts before have been read.
    const auto map = [=, part = std::make_shared<Buffer>()](const float* in, float* out) {
        float* result = part->at_least(static_cast<std::size_t>(pointwise_voxels * outputs));
        for (std::int64_t begin = 0; begin < voxels; begin += pointwise_voxels) {
            const std::int64_t count = std::min(pointwise_voxels, voxels - begin);
            multiply_rows(*packed, in + begin * inputs, count, nullptr, result);
            std::copy_n(result, count * outputs, out + begin * outputs);
        }
    };
    return std::make_shared<MappedPlanes>(std::move(x), outputs, map, static_cast<double>(voxels * inputs * outputs));
}

Planes normalised(Planes x, const GroupNormParameters& norm, bool silu) {
    const std::int64_t channels = x->channels();
    const std::int64_t voxels = x->plane_size() / channels;
    const ChannelMoments& moments = x->moments();
    const ChannelAffine affine = x->run().rehearsal() ? ChannelAffine() : norm_of_moments(moments, norm);
    const auto map = [=](const float* in, float* out) { normalise_volume(in, voxels, channels, affine, silu, out); };
    return std::make_shared<MappedPlanes>(std::move(x), channels, map,
                                          work_of_norm * static_cast<double>(voxels * channels));
}

}  // namespace

PlaneFusion PlaneFusion::norm_silu(GroupNormParameters parameters) const {
    PlaneFusion fusion = *this;
    fusion.norm = std::move(parameters);
    return fusion;
}

PlaneFusion PlaneFusion::upsampled(Upsampling kind) const {
    PlaneFusion fusion = *this;
    fusion.upsampling = kind;
    return fusion;
}

PlaneFusion PlaneFusion::plus(Planes value) const {
    PlaneFusion fusion = *this;
    fusion.residual = std::move(value);
    return fusion;
}

Planes conv3d(Planes x, const ConvParameters& conv, const PlaneFusion& fusion) {
    const std::int64_t size = conv.weight.size(2);
    const bool fused = fusion.norm || fusion.upsampling != Upsampling::none || fusion.residual;
    if (size == 1 && conv.stride == 1 && conv.padding == 0 && !fused) return pointwise(std::move(x), conv);
    if (size != 3 || conv.stride != 1 || conv.padding != 1) {
        throw Error(ErrorCode::internal, "streamed convolution: not of kernel 3, stride 1 and padding 1");
    }
    if (!fusion.norm || fusion.upsampling == Upsampling::none) {
        return std::make_shared<ConvolvedPlanes>(std::move(x), conv, fusion);
    }
    PlaneFusion rest = fusion;  // interpolation needs neighbours: what comes before it is done first
    rest.norm.reset();
    return std::make_shared<ConvolvedPlanes>(group_norm_silu(std::move(x), *fusion.norm), conv, std::move(rest));
}

Planes group_norm(Planes x, const GroupNormParameters& norm) { return normalised(std::move(x), norm, false); }
Planes group_norm_silu(Planes x, const GroupNormParameters& norm) { return normalised(std::move(x), norm, true); }

}  // namespace voldiff::ops

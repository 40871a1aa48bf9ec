#include "core/ops/conv.h"

#include "core/ops/conv_libtorch.h"
#include "core/ops/conv_policy.h"
#include "core/ops/kernels/volume_rows.h"
#include "core/ops/volumes.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff::ops {

namespace {

std::array<std::int64_t, 3> extents_of(const at::Tensor& x) { return {x.size(2), x.size(3), x.size(4)}; }

std::array<std::int64_t, 3> doubled(const std::array<std::int64_t, 3>& e) { return {2 * e[0], 2 * e[1], 2 * e[2]}; }

// Everything one after the other.
at::Tensor convolve_in_steps(at::Tensor x, const ConvParameters& conv, const ConvFusion& fusion) {
    if (fusion.norm) x = group_norm_silu(x, *fusion.norm);
    x = upsample_2x(x, fusion.upsampling);
    at::Tensor y = libtorch_conv3d(x, conv.weight, conv.bias, conv.stride, conv.padding);
    if (fusion.shift.defined()) y.add_(fusion.shift.view({y.size(0), y.size(1), 1, 1, 1}));
    return fusion.residual.defined() ? y.add_(fusion.residual) : y;
}

std::optional<ConvVariant> own_variant(const at::Tensor& x, const ConvParameters& conv, const ConvFusion& fusion) {
    const bool suited = for_own_kernels(x) && conv.weight.scalar_type() == at::kFloat && conv.weight.size(2) == 3 &&
                        conv.stride == 1 && conv.padding == 1;
    if (!suited) return std::nullopt;
    const bool larger = fusion.upsampling != Upsampling::none;
    ConvShape shape{conv.weight.size(1),
                    conv.weight.size(0),
                    larger ? doubled(extents_of(x)) : extents_of(x),
                    fusion.upsampling,
                    {}};
    if (conv.packed != nullptr) shape.packed = conv.packed->packed_variants(conv.weight, conv.bias);
    return choose_conv(shape);
}

bool is_pointwise(const at::Tensor& x, const ConvParameters& conv, const ConvFusion& fusion) {
    return for_own_kernels(x) && conv.weight.scalar_type() == at::kFloat && conv.weight.size(2) == 1 &&
           conv.stride == 1 && conv.padding == 0 && !fusion.norm && fusion.upsampling == Upsampling::none &&
           !fusion.shift.defined();
}

// A 1x1x1 convolution is a product of the voxels' rows of channels.
at::Tensor convolve_pointwise(const at::Tensor& x, const ConvParameters& conv, const ConvFusion& fusion) {
    PackedWeights for_this_call;
    const auto packed = (conv.packed != nullptr ? *conv.packed : for_this_call).linear(conv.weight, conv.bias);
    const at::Tensor input = channels_last(x);
    const at::Tensor residual = fusion.residual.defined() ? channels_last(fusion.residual) : fusion.residual;
    at::Tensor y = empty_volume({x.size(0), conv.weight.size(0), x.size(2), x.size(3), x.size(4)}, x);
    multiply_rows(*packed, volume(input, 0), x.numel() / x.size(1), residual.defined() ? volume(residual, 0) : nullptr,
                  volume(y, 0));
    return y;
}

// Runs one volume through the kernels.
class FusedConv {
  public:
    FusedConv(const PackedConv& packed, const at::Tensor& x, const ConvFusion& fusion, const at::Tensor& y)
        : packed_(packed), x_(x), fusion_(fusion), y_(y) {}

    void run(std::int64_t n) {
        const VolumeRows rows{volume(x_, n), extents_of(x_), x_.size(1)};
        if (fusion_.norm) affine_ = norm_of_input(n);
        ConvPlanes planes;
        planes.read_row = row_reader(rows, n);
        planes.output = [this, n](std::int64_t z) { return plane(y_, n, z); };
        if (fusion_.residual.defined()) {
            planes.residual = [this, n](std::int64_t z) { return plane(fusion_.residual, n, z); };
        }
        if (fusion_.shift.defined()) planes.shift = fusion_.shift.data_ptr<float>() + n * fusion_.shift.size(1);
        if (fusion_.output_moments != nullptr) {
            planes.moments = &fusion_.output_moments->emplace_back(packed_.outputs);
        }
        const bool interpolated = fusion_.upsampling == Upsampling::trilinear;
        PlaneConv conv(packed_, interpolated ? doubled(rows.extents) : rows.extents, planes);
        while (conv.step()) {
        }
    }

  private:
    ChannelAffine norm_of_input(std::int64_t n) const {
        const VolumeMoments* known = fusion_.input_moments;
        if (known == nullptr || known->empty()) return norm_of_volume(x_, n, *fusion_.norm);
        return norm_of_moments(known->at(static_cast<std::size_t>(n)), *fusion_.norm);
    }

    using RowReader = std::function<void(std::int64_t, std::int64_t, float*, std::size_t)>;

    RowReader row_reader(const VolumeRows& rows, std::int64_t n) {
        if (fusion_.upsampling == Upsampling::trilinear) {
            return [rows = prepared(rows, n)](std::int64_t z, std::int64_t y, float* out, std::size_t stride) {
                trilinear_row(rows, z, y, out, stride);
            };
        }
        if (fusion_.norm) {
            return [this, rows](std::int64_t z, std::int64_t y, float* out, std::size_t stride) {
                normalised_row(rows, affine_, z, y, out, stride);
            };
        }
        return [rows](std::int64_t z, std::int64_t y, float* out, std::size_t stride) {
            copy_row(rows, z, y, out, stride);
        };
    }
    // Interpolation needs neighbours: what comes before it is done first.
    VolumeRows prepared(const VolumeRows& rows, std::int64_t n) {
        if (!fusion_.norm) return rows;
        normalised_ = group_norm_silu(x_.slice(0, n, n + 1), *fusion_.norm);
        return {volume(normalised_, 0), rows.extents, rows.channels};
    }
    static float* plane(const at::Tensor& x, std::int64_t n, std::int64_t z) {
        return volume(x, n) + z * x.size(3) * x.size(4) * x.size(1);
    }

    const PackedConv& packed_;
    const at::Tensor& x_;
    const ConvFusion& fusion_;
    const at::Tensor& y_;
    ChannelAffine affine_;
    at::Tensor normalised_;
};

at::Tensor convolve_fused(const at::Tensor& x, ConvVariant variant, const ConvParameters& conv, ConvFusion fusion) {
    PackedWeights for_this_call;
    const auto packed = (conv.packed != nullptr ? *conv.packed : for_this_call).conv(variant, conv.weight, conv.bias);
    const at::Tensor input = channels_last(x);
    if (fusion.residual.defined()) fusion.residual = channels_last(fusion.residual);
    if (fusion.shift.defined()) fusion.shift = fusion.shift.contiguous();
    const std::int64_t scale = fusion.upsampling == Upsampling::none ? 1 : 2;
    at::Tensor y =
        empty_volume({x.size(0), conv.weight.size(0), scale * x.size(2), scale * x.size(3), scale * x.size(4)}, x);
    if (fusion.output_moments != nullptr) fusion.output_moments->clear();
    FusedConv run(*packed, input, fusion, y);
    for (std::int64_t n = 0; n < x.size(0); ++n) run.run(n);
    return y;
}

}  // namespace

ConvFusion ConvFusion::norm_silu(GroupNormParameters parameters, const VolumeMoments* of_x) const {
    ConvFusion fusion = *this;
    fusion.norm = std::move(parameters);
    fusion.input_moments = of_x;
    return fusion;
}

ConvFusion ConvFusion::measuring(VolumeMoments* result) const {
    ConvFusion fusion = *this;
    fusion.output_moments = result;
    return fusion;
}

ConvFusion ConvFusion::upsampled(Upsampling kind) const {
    ConvFusion fusion = *this;
    fusion.upsampling = kind;
    return fusion;
}

ConvFusion ConvFusion::plus_shift(at::Tensor value) const {
    ConvFusion fusion = *this;
    fusion.shift = std::move(value);
    return fusion;
}

ConvFusion ConvFusion::plus(at::Tensor value) const {
    ConvFusion fusion = *this;
    fusion.residual = std::move(value);
    return fusion;
}

at::Tensor conv3d(const at::Tensor& x, const ConvParameters& parameters, const ConvFusion& fusion) {
    if (is_pointwise(x, parameters, fusion)) return convolve_pointwise(x, parameters, fusion);
    const auto variant = own_variant(x, parameters, fusion);
    return variant ? convolve_fused(x, *variant, parameters, fusion) : convolve_in_steps(x, parameters, fusion);
}

at::Tensor conv3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                  std::int64_t padding) {
    return conv3d(x, ConvParameters{weight, bias, nullptr, stride, padding});
}

ConvParameters of_transposed(const at::Tensor& weight, const at::Tensor& bias) {
    return {weight.transpose(0, 1).flip({2, 3, 4}).contiguous(), bias};
}

at::Tensor conv_transpose3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                            std::int64_t padding, std::int64_t output_padding) {
    const bool doubles = weight.size(2) == 3 && stride == 2 && padding == 1 && output_padding == 1;
    if (doubles && for_own_kernels(x) && weight.scalar_type() == at::kFloat) {
        return conv3d(x, of_transposed(weight, bias), ConvFusion().upsampled(Upsampling::zeros));
    }
    return libtorch_conv_transpose3d(x, weight, bias, stride, padding, output_padding);
}

}  // namespace voldiff::ops

#include "core/ops/upsample.h"

#include "core/ops/kernels/parallel.h"
#include "core/ops/kernels/volume_rows.h"
#include "core/ops/volumes.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/upsample_nearest3d.h>
#include <ATen/ops/upsample_trilinear3d.h>
#include <ATen/ops/zeros.h>

namespace voldiff::ops {

namespace {

std::vector<std::int64_t> doubled_extents(const at::Tensor& x) { return {2 * x.size(2), 2 * x.size(3), 2 * x.size(4)}; }

// LibTorch 1.13 resamples half precision on a GPU only; elsewhere in float32 and back.
template <class Resample>
at::Tensor in_supported_type(const at::Tensor& x, const Resample& resample) {
    const bool half = x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
    if (!half || !x.device().is_cpu()) return resample(x);
    return resample(x.to(at::kFloat)).to(x.scalar_type());
}

// y, of the given extents, row by row: write(rows of a volume of x, n, z, y, where the row goes).
template <class Write>
at::Tensor by_rows(const at::Tensor& x, const std::vector<std::int64_t>& extents, const Write& write) {
    const at::Tensor input = channels_last(x);
    at::Tensor y = empty_volume({x.size(0), x.size(1), extents[0], extents[1], extents[2]}, x);
    const std::int64_t rows = extents[0] * extents[1];
    parallel_each(x.size(0) * rows, [&](std::int64_t index, std::int64_t) {
        const std::int64_t n = index / rows;
        const std::int64_t row = index % rows;
        const VolumeRows source{volume(input, n), {x.size(2), x.size(3), x.size(4)}, x.size(1)};
        write(source, n, row / extents[1], row % extents[1], volume(y, n) + row * extents[2] * x.size(1));
    });
    return y;
}

std::vector<std::int64_t> halved_extents(const at::Tensor& x) { return {x.size(2) / 2, x.size(3) / 2, x.size(4) / 2}; }

bool can_be_halved(const at::Tensor& x) { return x.size(2) > 1 && x.size(3) > 1 && x.size(4) > 1; }

}  // namespace

at::Tensor upsample_nearest_2x(const at::Tensor& x) {
    if (x.dim() == 5 && for_own_kernels(x)) {
        return by_rows(x, doubled_extents(x),
                       [](const VolumeRows& rows, std::int64_t, std::int64_t z, std::int64_t y, float* out) {
                           nearest_row(rows, z, y, out);
                       });
    }
    return in_supported_type(x, [](const at::Tensor& y) { return at::upsample_nearest3d(y, doubled_extents(y)); });
}

at::Tensor upsample_trilinear_2x(const at::Tensor& x) {
    return in_supported_type(x, [](const at::Tensor& y) {
        return at::upsample_trilinear3d(y, doubled_extents(y), /*align_corners=*/false, 2.0, 2.0, 2.0);
    });
}

at::Tensor upsample_zeros_2x(const at::Tensor& x) {
    at::Tensor y = at::zeros({x.size(0), x.size(1), 2 * x.size(2), 2 * x.size(3), 2 * x.size(4)}, x.options());
    at::Tensor even = y;
    for (const std::int64_t axis : {2, 3, 4}) even = even.slice(axis, 0, even.size(axis), 2);
    even.copy_(x);
    return y;
}

at::Tensor upsample_2x(const at::Tensor& x, Upsampling kind) {
    switch (kind) {
        case Upsampling::nearest:
            return upsample_nearest_2x(x);
        case Upsampling::trilinear:
            return upsample_trilinear_2x(x);
        case Upsampling::zeros:
            return upsample_zeros_2x(x);
        case Upsampling::none:
            break;
    }
    return x;
}

at::Tensor average_pool_2x(const at::Tensor& x) {
    if (x.dim() == 5 && for_own_kernels(x) && can_be_halved(x)) {
        return by_rows(x, halved_extents(x),
                       [](const VolumeRows& rows, std::int64_t, std::int64_t z, std::int64_t y, float* out) {
                           pooled_row(rows, nullptr, z, y, out);
                       });
    }
    return in_supported_type(x, [](const at::Tensor& y) { return at::avg_pool3d(y, 2, 2); });
}

at::Tensor average_pool_2x(const at::Tensor& x, const GroupNormParameters& norm) {
    if (x.dim() != 5 || !for_own_kernels(x) || !can_be_halved(x)) return average_pool_2x(group_norm_silu(x, norm));
    const at::Tensor input = channels_last(x);
    std::vector<ChannelAffine> affines;
    for (std::int64_t n = 0; n < x.size(0); ++n) affines.push_back(norm_of_volume(input, n, norm));
    return by_rows(input, halved_extents(x),
                   [&](const VolumeRows& rows, std::int64_t n, std::int64_t z, std::int64_t y, float* out) {
                       pooled_row(rows, &affines[static_cast<std::size_t>(n)], z, y, out);
                   });
}

}  // namespace voldiff::ops

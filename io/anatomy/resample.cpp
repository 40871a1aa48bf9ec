#include "io/anatomy/resample.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

namespace voldiff {

namespace {

constexpr double same_spacing = 1e-3;  // mm, MONAI's AFFINE_TOL

// Positions -1..1 of `count` voxels, as affine_grid has them with align_corners = false.
at::Tensor normalized_positions(std::int64_t count) {
    if (count <= 1) return at::zeros({count}, at::kDouble);
    return at::linspace(-1, 1, count, at::kDouble) * (count - 1) / count;
}

// Which voxel of `from` each of `to` voxels takes, `step` voxels of the source apart. The steps of MONAI's
// to_norm_affine and PyTorch's grid_sample one by one, since what they round decides ties.
at::Tensor nearest_indices(std::int64_t from, std::int64_t to, double step) {
    const auto n = static_cast<double>(from);
    const double source_scale = 2 / n;
    const double target_scale = 2 / static_cast<double>(to);
    const double target_shift = 1 / static_cast<double>(to) - 1;
    const double scale = source_scale * step * (1 / target_scale);
    const double shift = source_scale * step * (-target_shift / target_scale) + (1 / n - 1);
    const at::Tensor normalized = normalized_positions(to) * scale + shift;
    const at::Tensor index = ((normalized + 1) * n - 1) / 2;
    return index.clamp(0, n - 1).round().to(at::kLong);  // to even, as grid_sample
}

void shift_origin(Affine& affine, std::size_t axis, std::int64_t voxels) {
    for (std::size_t row = 0; row < 3; ++row) affine[row][3] += affine[row][axis] * static_cast<double>(voxels);
}

// The axis alone. `size` voxels from the middle, or zeros on both sides.
at::Tensor fit_axis(const at::Tensor& voxels, std::size_t axis, std::int64_t size, Affine& affine) {
    const auto dimension = static_cast<std::int64_t>(axis);
    const std::int64_t extent = voxels.size(dimension);
    if (extent >= size) {
        const std::int64_t first = extent / 2 - size / 2;
        shift_origin(affine, axis, first);
        return voxels.narrow(dimension, first, size);
    }
    const std::int64_t before = (size - extent) / 2;
    shift_origin(affine, axis, -before);
    std::vector<std::int64_t> pads(6, 0);  // last axis first
    pads[2 * (2 - axis)] = before;
    pads[2 * (2 - axis) + 1] = size - extent - before;
    return at::constant_pad_nd(voxels, pads);
}

void check_spacing(const Volume& volume, const std::array<double, 3>& spacing) {
    const auto usable = [](double mm) { return std::isfinite(mm) && mm > 0; };
    if (!std::all_of(spacing.begin(), spacing.end(), usable))
        throw Error(ErrorCode::config, "the spacing to resample to is not positive; expected mm for x, y and z");
    if (volume.voxels.numel() == 0) throw Error(ErrorCode::config, "the volume to resample has no voxels");
}

}  // namespace

Volume resample_nearest(const Volume& volume, const std::array<double, 3>& spacing) {
    check_spacing(volume, spacing);
    const auto old = spacing_of(volume.affine);
    Volume result = volume;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        if (std::abs(old[axis] - spacing[axis]) <= same_spacing) continue;
        const auto dimension = static_cast<std::int64_t>(axis);
        const std::int64_t from = volume.voxels.size(dimension);
        const double extent = static_cast<double>(from - 1) * (old[axis] / spacing[axis]);
        const auto to = static_cast<std::int64_t>(std::nearbyint(extent + 1));
        const at::Tensor indices = nearest_indices(from, to, spacing[axis] / old[axis]);
        result.voxels = result.voxels.index_select(dimension, indices);
        for (std::size_t row = 0; row < 3; ++row) result.affine[row][axis] *= spacing[axis] / old[axis];
    }
    return result;
}

Volume pad_or_crop(const Volume& volume, const std::array<std::int64_t, 3>& size) {
    Volume result = volume;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        if (size[axis] < 1)
            throw Error(ErrorCode::config, "the size to pad or crop to is " + std::to_string(size[axis]) +
                                               " voxels on axis " + std::to_string(axis) + "; expected at least 1");
        result.voxels = fit_axis(result.voxels, axis, size[axis], result.affine);
    }
    result.voxels = result.voxels.contiguous();
    return result;
}

Volume fit_mask(const Volume& volume, const std::array<std::int64_t, 3>& size, const std::array<double, 3>& spacing) {
    return pad_or_crop(resample_nearest(volume, spacing), size);
}

}  // namespace voldiff

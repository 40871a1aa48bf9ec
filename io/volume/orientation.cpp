#include "io/volume/orientation.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_svd.h>

#include <algorithm>
#include <cmath>

namespace voldiff {

namespace {

// The rotation nearest to the affine's directions, shear and lengths taken out. [3, 3]
at::Tensor nearest_rotation(const Affine& affine) {
    const auto spacing = spacing_of(affine);
    const at::Tensor directions = at::empty({3, 3}, at::kDouble);
    auto cell = directions.accessor<double, 2>();
    for (std::size_t row = 0; row < 3; ++row)
        for (std::size_t column = 0; column < 3; ++column)
            cell[static_cast<std::int64_t>(row)][static_cast<std::int64_t>(column)] =
                affine[row][column] / spacing[column];
    if (!at::isfinite(directions).all().item<bool>())
        throw Error(ErrorCode::numerical, "the affine is singular or not finite, so its axes have no direction");
    const auto [left, lengths, right] = at::linalg_svd(directions, false);
    return left.matmul(right);
}

// The strongest axis chooses first, so that each world axis is taken once.
std::array<std::int64_t, 3> strongest_first(const at::Tensor& rotation) {
    const at::Tensor order = std::get<0>(rotation.abs().max(0)).argsort(0, true);
    return {order[0].item<std::int64_t>(), order[1].item<std::int64_t>(), order[2].item<std::int64_t>()};
}

}  // namespace

std::array<AxisDirection, 3> axis_directions(const Affine& affine) {
    const at::Tensor rotation = nearest_rotation(affine);
    at::Tensor open = rotation.abs();
    std::array<AxisDirection, 3> directions;
    for (const std::int64_t axis : strongest_first(rotation)) {
        const auto world = open.select(1, axis).argmax().item<std::int64_t>();
        directions[static_cast<std::size_t>(axis)] = {static_cast<std::size_t>(world),
                                                      rotation[world][axis].item<double>() > 0};
        open.select(0, world).fill_(-1);
    }
    return directions;
}

std::string orientation_code(const Affine& affine) {
    std::string code;
    for (const AxisDirection& direction : axis_directions(affine))
        code += (direction.positive ? "RAS" : "LPI")[direction.world];
    return code;
}

Volume to_ras(const Volume& volume) {
    const auto directions = axis_directions(volume.affine);
    std::array<std::int64_t, 3> from{};
    std::vector<std::int64_t> flipped;
    Volume result{volume.voxels, volume.affine};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const auto [world, positive] = directions[axis];
        const auto last = static_cast<double>(volume.voxels.size(static_cast<std::int64_t>(axis)) - 1);
        from[world] = static_cast<std::int64_t>(axis);
        if (!positive) flipped.push_back(static_cast<std::int64_t>(axis));
        for (std::size_t row = 0; row < 3; ++row) {
            const double step = volume.affine[row][axis];
            result.affine[row][world] = positive ? step : -step;
            if (!positive) result.affine[row][3] += step * last;
        }
    }
    result.voxels = volume.voxels.flip(flipped).permute(from).contiguous();
    return result;
}

at::Tensor from_ras(const at::Tensor& voxels, const Affine& affine) {
    std::array<std::int64_t, 3> from{};
    std::vector<std::int64_t> flipped;
    const auto directions = axis_directions(affine);
    for (std::size_t axis = 0; axis < 3; ++axis) {
        from[axis] = static_cast<std::int64_t>(directions[axis].world);
        if (!directions[axis].positive) flipped.push_back(static_cast<std::int64_t>(axis));
    }
    return voxels.permute(from).flip(flipped).contiguous();
}

double largest_shift(const Affine& a, const Affine& b, const std::array<std::int64_t, 3>& size) {
    double largest = 0;
    for (unsigned corner = 0; corner < 8; ++corner) {
        double squares = 0;
        for (std::size_t row = 0; row < 3; ++row) {
            double apart = b[row][3] - a[row][3];
            for (std::size_t axis = 0; axis < 3; ++axis) {
                const double index = (corner >> axis & 1U) != 0 ? static_cast<double>(size[axis] - 1) : 0;
                apart += (b[row][axis] - a[row][axis]) * index;
            }
            squares += apart * apart;
        }
        largest = std::max(largest, std::sqrt(squares));
    }
    return largest;
}

}  // namespace voldiff

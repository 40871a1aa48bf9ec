#include "core/anatomy/deformation.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/erf.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

namespace voldiff {

namespace {

constexpr std::array<double, 2> width_range = {5, 8};          // voxels
constexpr std::array<double, 2> magnitude_range = {100, 200};  // voxels, before smoothing

using Parameters = std::array<double, 3>;

// Rotation in the plane of axes `a` and `b`. [4, 4], float32 as all that is affine in the reference.
at::Tensor rotation(std::int64_t a, std::int64_t b, double radians) {
    const auto angle = static_cast<float>(radians);
    at::Tensor matrix = at::eye(4, at::kFloat);
    matrix[a][a] = std::cos(angle);
    matrix[a][b] = -std::sin(angle);
    matrix[b][a] = std::sin(angle);
    matrix[b][b] = std::cos(angle);
    return matrix;
}

at::Tensor affine_matrix(const Parameters& rotate, const Parameters& translate, const Parameters& scale) {
    at::Tensor shift = at::eye(4, at::kFloat);
    at::Tensor stretch = at::eye(4, at::kFloat);
    for (std::int64_t axis = 0; axis < 3; ++axis) {
        shift[axis][3] = translate[static_cast<std::size_t>(axis)];
        stretch[axis][axis] = 1 + scale[static_cast<std::size_t>(axis)];
    }
    const at::Tensor turn =
        at::matmul(at::matmul(rotation(1, 2, rotate[0]), rotation(2, 0, rotate[1])), rotation(0, 1, rotate[2]));
    return at::matmul(at::matmul(turn, shift), stretch);
}

// The weights of a Gaussian of `sigma` voxels, each integrated over its voxel and cut at three sigma.
std::vector<float> gaussian_weights(double sigma) {
    const auto tail =
        static_cast<std::int64_t>(std::max(static_cast<double>(static_cast<float>(sigma)) * 3, 0.5) + 0.5);
    const at::Tensor x = at::arange(-tail, tail + 1, at::kFloat);
    const float t = 0.70710678F / static_cast<float>(sigma);
    const at::Tensor weights = (at::erf((x + 0.5) * t) - at::erf((x - 0.5) * t)).mul(0.5).clamp_min(0).contiguous();
    return {weights.data_ptr<float>(), weights.data_ptr<float>() + weights.numel()};
}

// One axis of a volume seen as [outer, extent, inner], smoothed; zero beyond the border.
at::Tensor smooth_axis(const at::Tensor& volume, std::int64_t axis, const std::vector<float>& weights) {
    const std::int64_t extent = volume.size(axis);
    std::int64_t inner = 1;
    for (std::int64_t i = axis + 1; i < volume.dim(); ++i) inner *= volume.size(i);
    const std::int64_t outer = volume.numel() / (extent * inner);
    const auto tail = static_cast<std::int64_t>(weights.size() / 2);
    at::Tensor result = at::zeros_like(volume);
    const float* from = volume.data_ptr<float>();
    float* to = result.data_ptr<float>();
    at::parallel_for(0, outer * extent, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const std::int64_t place = row % extent;
            const float* slab = from + (row - place) * inner;
            float* target = to + row * inner;
            for (std::int64_t k = std::max(-tail, -place); k <= std::min(tail, extent - 1 - place); ++k) {
                const float weight = weights[static_cast<std::size_t>(k + tail)];
                const float* source = slab + (place + k) * inner;
                for (std::int64_t i = 0; i < inner; ++i) target[i] += weight * source[i];
            }
        }
    });
    return result;
}

// Coordinates of an axis, measured from the centre of the volume.
at::Tensor centred(std::int64_t extent) {
    return at::arange(extent, at::kDouble) - static_cast<double>(extent - 1) / 2;
}

// Where each voxel of plane `x` takes its value from, [3, Y * Z], in voxels from the first one.
at::Tensor places_of_plane(const at::Tensor& affine, const at::Tensor& displacement, at::IntArrayRef extents,
                           std::int64_t x) {
    const std::int64_t ny = extents[1];
    const std::int64_t nz = extents[2];
    at::Tensor grid = at::empty({4, ny, nz}, at::kDouble);
    grid[0].fill_(static_cast<double>(x) - static_cast<double>(extents[0] - 1) / 2);
    grid[1].copy_(centred(ny).unsqueeze(1).expand({ny, nz}));
    grid[2].copy_(centred(nz).unsqueeze(0).expand({ny, nz}));
    grid[3].fill_(1);
    if (displacement.defined()) grid.narrow(0, 0, 3).add_(displacement.select(1, x));
    at::Tensor places = at::matmul(affine, grid.view({4, ny * nz}).to(at::kFloat)).narrow(0, 0, 3).to(at::kDouble);
    for (std::int64_t axis = 0; axis < 3; ++axis) places[axis].add_(static_cast<double>(extents[axis] - 1) / 2);
    return places;
}

// The labels at the nearest voxels, 0 outside. [Y * Z]
at::Tensor labels_at(const at::Tensor& labels, const at::Tensor& places) {
    const at::Tensor nearest = places.round().to(at::kLong);  // half way: the even one
    at::Tensor inside = nearest[0].ge(0);
    at::Tensor index = nearest[0].clamp(0, labels.size(0) - 1);
    inside.logical_and_(nearest[0].lt(labels.size(0)));
    for (std::int64_t axis = 1; axis < 3; ++axis) {
        inside.logical_and_(nearest[axis].ge(0)).logical_and_(nearest[axis].lt(labels.size(axis)));
        index.mul_(labels.size(axis)).add_(nearest[axis].clamp(0, labels.size(axis) - 1));
    }
    return labels.flatten().index_select(0, index).masked_fill_(inside.logical_not(), 0);
}

Parameters draw(NumpyRandom& random, const std::array<double, 3>& ranges) {
    Parameters drawn{};
    for (std::size_t axis = 0; axis < 3; ++axis) drawn[axis] = random.uniform(-ranges[axis], ranges[axis]);
    return drawn;
}

}  // namespace

// The reference draws the parameters twice and uses the second ones.
at::Tensor RandomDeformation::draw_affine() {
    Parameters rotate{};
    Parameters translate{};
    Parameters scale{};
    for (int i = 0; i < 2; ++i) {
        rotate = draw(affine_random_, ranges_.rotate);
        translate = draw(affine_random_, ranges_.translate);
        scale = draw(affine_random_, ranges_.scale);
    }
    return affine_matrix(rotate, translate, scale);
}

at::Tensor RandomDeformation::draw_displacement(at::IntArrayRef extents) {
    at::Tensor displacement = at::empty({3, extents[0], extents[1], extents[2]}, at::kFloat);
    float* values = displacement.data_ptr<float>();
    std::generate(values, values + displacement.numel(), [this] { return static_cast<float>(random_.uniform(-1, 1)); });
    const double magnitude = random_.uniform(magnitude_range[0], magnitude_range[1]);
    const std::vector<float> weights = gaussian_weights(random_.uniform(width_range[0], width_range[1]));
    for (std::int64_t channel = 0; channel < 3; ++channel) {
        at::Tensor smooth = displacement[channel];
        for (std::int64_t axis = 0; axis < 3; ++axis) smooth = smooth_axis(smooth, axis, weights);
        displacement[channel].copy_(smooth.mul_(magnitude));
    }
    return displacement;
}

at::Tensor RandomDeformation::operator()(const at::Tensor& labels) {
    random_.uniform();  // whether to deform at all, with probability 1
    const at::Tensor displacement = ranges_.elastic ? draw_displacement(labels.sizes()) : at::Tensor();
    const at::Tensor affine = draw_affine();
    const at::Tensor source = labels.contiguous();
    at::Tensor result = at::empty(labels.sizes(), labels.options());
    for (std::int64_t x = 0; x < labels.size(0); ++x) {
        result[x].copy_(labels_at(source, places_of_plane(affine, displacement, labels.sizes(), x)).view_as(result[x]));
    }
    return result;
}

}  // namespace voldiff

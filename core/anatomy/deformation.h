// Random affine and elastic deformation of a label volume, by nearest neighbour, zero outside.
// Source: MONAI 1.5 transforms/spatial/array.py (Rand3DElastic, RandAffine, RandAffineGrid, Resample),
// networks/layers/simplelayers.py (GaussianFilter).
//
// LibTorch and not ITK samples here: a voxel that lies half way between two goes where the reference's grid_sample
// sends it.
#pragma once

#include "core/anatomy/numpy_random.h"

#include <ATen/core/Tensor.h>

#include <array>

namespace voldiff {

// Each parameter is drawn from -range to range, axis by axis.
struct DeformationRanges {
    std::array<double, 3> rotate{};     // radians, about x, y, z
    std::array<double, 3> translate{};  // voxels
    std::array<double, 3> scale{};      // added to 1
    bool elastic = true;                // with a smooth displacement: of 5 to 8 voxels' width, 100 to 200 large
};

class RandomDeformation {
  public:
    // Draws what the reference draws for the same seed.
    RandomDeformation(const DeformationRanges& ranges, std::uint32_t seed)
        : ranges_(ranges), random_(seed), affine_random_(seed) {}

    // labels [X, Y, Z] -> the same size and type. Every call draws anew.
    at::Tensor operator()(const at::Tensor& labels);

  private:
    at::Tensor draw_affine();                               // [4, 4]
    at::Tensor draw_displacement(at::IntArrayRef extents);  // [3, X, Y, Z], voxels

    DeformationRanges ranges_;
    NumpyRandom random_;
    NumpyRandom affine_random_;  // the reference seeds the affine part on its own, with the same seed
};

}  // namespace voldiff

// Which way the axes of a volume run, and where its voxels are. Source: nibabel.orientations (io_orientation,
// apply_orientation)
#pragma once

#include "io/volume/volume.h"

#include <cstddef>

namespace voldiff {

// One a voxel axis: the world axis it is nearest to (0 right, 1 anterior, 2 superior), and whether it runs that way.
struct AxisDirection {
    std::size_t world = 0;
    bool positive = true;
};

// Each world axis once. Throws Error(numerical) for an affine that is singular or not finite.
std::array<AxisDirection, 3> axis_directions(const Affine& affine);

// The ends that the axes run to: "RAS" runs to right, anterior and superior.
std::string orientation_code(const Affine& affine);

// The same voxels at the same places with axes permuted and flipped to run right, anterior and superior; nothing is
// interpolated, so an oblique volume stays oblique.
Volume to_ras(const Volume& volume);

// The inverse for voxels: [X, Y, Z] as `to_ras` gives them -> in the order of the volume that `affine` is of.
at::Tensor from_ras(const at::Tensor& voxels, const Affine& affine);

// The largest distance, in mm, between the places that two affines give the same voxel of a volume of `size`; it is
// found at a corner.
double largest_shift(const Affine& a, const Affine& b, const std::array<std::int64_t, 3>& size);

}  // namespace voldiff

// Connected parts of masks. Source: NV-Generate-CTMR scripts/utils.py (supress_non_largest_components), MONAI
// transforms/utils.py (get_largest_connected_component_mask).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace voldiff {

// Voxels are connected through faces, edges and corners (26), or through faces only (6).
enum class Neighbours { all, faces };

struct Components {
    at::Tensor ids;  // [X, Y, Z], int32: 0 background; 1, 2, ... in order of the first voxel, z fastest
    std::vector<std::int64_t> sizes;  // voxels of each id, background first
};

// mask [X, Y, Z], boolean.
Components connected_components(const at::Tensor& mask, Neighbours neighbours = Neighbours::all);

// The component with most voxels; of equals the one with the last first voxel. An empty mask stays empty.
at::Tensor largest_component(const at::Tensor& mask);

struct Suppressed {
    at::Tensor labels;           // as given, with the smaller parts of organs replaced
    std::int64_t decreased = 0;  // voxels whose value became smaller
};

// Of each of `organs`, parts other than the largest become `replacement`.
//
// Quirk of the reference, kept: the background counts as a part, and the TWO largest stay. It is normally one of them.
// Where it is not (an organ with two parts that each outnumber all the rest of the volume), the two parts stay and
// everything else in the volume becomes `replacement`. Of equal parts the last one stays, as the reference has it with
// up to 16 parts; with more its sort is not stable and the choice is numpy's.
Suppressed suppress_small_components(const at::Tensor& labels, const std::vector<std::int64_t>& organs,
                                     std::int64_t replacement = 0);

}  // namespace voldiff

// The values of a volume without their places, and those under the labels of a map.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>

namespace voldiff {

// Earth mover's distance (Wasserstein-1) of the distributions of values of two volumes, in their unit (HU): the mean
// shift that turns one histogram into the other. a, b: any shape and real type, finite; sizes may differ.
//
// Counted on a grid over the values of both, whose step is the largest power of two that cuts their range into no less
// than 2^19 steps: exact for whole numbers that are less than 2^20 apart (HU), else at most one step off (HU as
// fractions: 0.002). Memory for 2^20 counts. Throws Error(config) for a volume without voxels.
double histogram_distance(const at::Tensor& a, const at::Tensor& b);

// Label -> median of the values it covers; of an even number of values the mean of the two in the middle. Label 0,
// the background, is left out. volume, labels [X, Y, Z]; labels of an integer type; values as float32, finite.
// Throws Error(config) where the shapes differ, and for more than 4096 labels, which no map of organs has.
std::map<std::int64_t, double> label_medians(const at::Tensor& volume, const at::Tensor& labels);

}  // namespace voldiff

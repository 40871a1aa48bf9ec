// From streamed volumes to ones in memory, and to and from tensors.
#pragma once

#include "core/ops/planes/planes.h"

#include <ATen/core/Tensor.h>

#include <functional>

namespace voldiff::ops {

// The same volume in memory. Where nobody else holds what it is made of, its plane z takes the memory of plane z of a
// stored volume of the same extents among that, which has been read by then.
Planes stored(Planes x);

// Both in one pass, for a convolution and what is made of plane z of its source for plane z. Together they take the
// source's memory, if that is stored, has enough channels and is held by nobody else.
void store_both(Planes& conv, Planes& map);

// Hands every plane [H, W, C] to `take`, in ascending order.
void for_each_plane(const Planes& x, const std::function<void(std::int64_t z, const float* plane)>& take);

// A tensor [1, C, D, H, W] on the CPU, float32, with the run's axis first among the planes' and back.
Planes from_tensor(PlaneRun& run, const at::Tensor& x);
// A view where x is stored (then the tensor holds it), else made plane by plane. Undefined in a rehearsal.
at::Tensor to_tensor(Planes x);

// Made of each plane [1, C, 1, H, W] as it comes: of any type, [1, C', 1, H, W].
using PlaneMap = std::function<at::Tensor(const at::Tensor& plane)>;
// The mapped planes together, [1, C', D, H, W]; x is never there as a whole. bytes_of_voxel: of the result.
at::Tensor to_mapped_tensor(Planes x, const PlaneMap& map, std::size_t bytes_of_voxel);

// A stored volume without values.
Planes empty_volume_of(PlaneRun& run, const std::array<std::int64_t, 3>& extents, std::int64_t channels);

}  // namespace voldiff::ops

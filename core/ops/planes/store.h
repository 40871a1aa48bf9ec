// From streamed volumes to ones in memory, and to and from tensors.
#pragma once

#include "core/ops/planes/planes.h"

#include <ATen/core/Tensor.h>

namespace voldiff::ops {

// The same volume in memory. Where nobody else holds what it is made of, it takes the memory of a stored volume of the
// same extents among that: all of it is read before it is written over.
Planes stored(Planes x);

// Both in one pass, for volumes made of the same. Plane z of `behind` may be made of plane z of a common source only;
// it is made after `ahead` has read that, and may take the source's memory.
void store_both(Planes& ahead, Planes& behind);

// Hands every plane [H, W, C] to `take`, in ascending order.
void for_each_plane(const Planes& x, const std::function<void(std::int64_t z, const float* plane)>& take);

// A tensor [1, C, D, H, W] on the CPU, float32, with the run's axis first among the planes' and back.
Planes from_tensor(PlaneRun& run, const at::Tensor& x);
// A view where x is stored (then the tensor holds it), else made plane by plane. Undefined in a rehearsal.
at::Tensor to_tensor(Planes x);

// A stored volume of a rehearsal.
Planes rehearsed_volume(PlaneRun& run, const std::array<std::int64_t, 3>& extents, std::int64_t channels);

}  // namespace voldiff::ops

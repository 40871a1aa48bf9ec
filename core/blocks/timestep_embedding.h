// The sinusoidal embedding of a timestep (Ho et al. 2020, arXiv:2006.11239).
// Source: monai/networks/nets/diffusion_model_unet.py (get_timestep_embedding).
#pragma once

#include <ATen/core/Tensor.h>

namespace voldiff {

// timesteps [N] -> [N, width], float32: cosines, sines, and one zero where the width is odd.
// Throws Error(config) where the timesteps are not one-dimensional.
at::Tensor timestep_embedding(const at::Tensor& timesteps, std::int64_t width, std::int64_t max_period = 10000);

}  // namespace voldiff

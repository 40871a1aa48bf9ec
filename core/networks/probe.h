// One call of a network with random conditions, for a latent of any extents: what it costs is what a step of a run
// costs.
#pragma once

#include "core/networks/roles.h"

namespace voldiff {

// As `probe` of roles.h, with x [1, in_channels, d, h, w]; the conditioning of a controller has the extents of the
// image.
std::vector<at::Tensor> probe(Denoiser& network, std::uint64_t seed, const std::array<std::int64_t, 3>& extents);
std::vector<at::Tensor> probe(Controller& network, std::uint64_t seed, const std::array<std::int64_t, 3>& extents);

// Multiplications of one call of a U-Net, about, to compare calls for latents of other extents: convolutions grow with
// the voxels, attention with their square.
double unet_work(const UnetTrunkConfig& config, const std::array<std::int64_t, 3>& extents);

}  // namespace voldiff

// TorchScript modules in the place of our networks. Arguments are found by their names, which are MONAI's.
#pragma once

#include "core/networks/roles.h"

#include <iosfwd>
#include <memory>

namespace voldiff {

// The code of a module runs as it is: load none that you do not trust. What each needs:
//   autoencoder: decode(z) (or forward(z)), and for encoding encode(x) -> (mean, sigma)
//   denoiser: forward(x, timesteps, ...) with the conditions of the network, and at most MONAI's
//       down_block_additional_residuals and mid_block_additional_residual besides
//   controller: forward(x, timesteps, controlnet_cond, ...) -> down residuals, then the middle's
// Throws Error(weights) for an archive that is no TorchScript module, that this LibTorch cannot load, or whose methods
// have other arguments than the config's network. Outputs are checked at each call, with Error(weights) too.
std::unique_ptr<Autoencoder> load_scripted_autoencoder(std::istream& archive, const AutoencoderKlConfig& config,
                                                       const at::TensorOptions& options);
std::unique_ptr<Denoiser> load_scripted_denoiser(std::istream& archive, const DiffusionUnetConfig& config,
                                                 const at::TensorOptions& options);
std::unique_ptr<Controller> load_scripted_controller(std::istream& archive, const ControlNetConfig& config,
                                                     const at::TensorOptions& options);

}  // namespace voldiff

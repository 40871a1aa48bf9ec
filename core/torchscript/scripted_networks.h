// TorchScript modules in the place of our networks. Arguments are found by their names, which are MONAI's.
#pragma once

#include "core/networks/roles.h"

#include <filesystem>
#include <memory>

namespace voldiff {

// The code of a module runs as it is: load none that you do not trust. What each needs:
//   autoencoder: decode(z) (or forward(z)), and for encoding encode(x) -> (mean, sigma)
//   denoiser: forward(x, timesteps, ...) with the conditions of the network, and at most MONAI's
//       down_block_additional_residuals and mid_block_additional_residual besides
//   controller: forward(x, timesteps, controlnet_cond, ...) -> down residuals, then the middle's
// Throws Error(weights) for a file that is no TorchScript module, that this LibTorch cannot load, or whose methods have
// other arguments than the config's network. Outputs are checked at each call, with Error(weights) too.
std::unique_ptr<Autoencoder> load_scripted_autoencoder(const std::filesystem::path& file,
                                                       const AutoencoderKlConfig& config,
                                                       const at::TensorOptions& options);
std::unique_ptr<Denoiser> load_scripted_denoiser(const std::filesystem::path& file, const DiffusionUnetConfig& config,
                                                 const at::TensorOptions& options);
std::unique_ptr<Controller> load_scripted_controller(const std::filesystem::path& file, const ControlNetConfig& config,
                                                     const at::TensorOptions& options);

}  // namespace voldiff

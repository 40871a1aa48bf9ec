// The start from an image: its latent with the noise of a timestep in the middle of the run.
// Source: Meng et al. 2021, arXiv:2108.01073 (SDEdit); diffusers StableDiffusionImg2ImgPipeline (get_timesteps,
// prepare_latents) for how `strength` counts. MONAI has none.
#pragma once

#include "core/schedulers/scheduler.h"

#include <ATen/core/Tensor.h>

namespace voldiff {

struct StartImage {
    at::Tensor latent;    // [1, C, d, h, w], times the scale factor
    double strength = 1;  // 0: the latent as it is; 1: noise alone, nothing of it is left
};

// Steps that are left out at the beginning: all but the whole part of strength times steps.
// Throws Error(config) for a strength above 0 that is less than one step.
std::int64_t skipped_steps(std::int64_t steps, double strength);

// What the denoising starts with; `scheduler` has the timesteps that are left, `noise` is [1, C, d, h, w].
at::Tensor noisy_start(const StartImage& start, const Scheduler& scheduler, const at::Tensor& noise);

}  // namespace voldiff

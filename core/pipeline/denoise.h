// From noise to a latent: the loop over the scheduler's timesteps.
// Source: NV-Generate-CTMR scripts/diff_model_infer.py (run_inference).
#pragma once

#include "core/networks/roles.h"
#include "core/pipeline/random.h"
#include "core/schedulers/scheduler.h"

namespace voldiff {

// Called after each step, counted from 1, with the prediction (after guidance) and the new latent. May throw to stop.
using StepObserver =
    std::function<void(std::size_t step, std::size_t steps, const at::Tensor& model_output, const at::Tensor& latent)>;

// `latent` [1, C, D, H, W] is the initial noise; `scheduler` has its timesteps. With guidance_scale > 0 each step runs
// the network for the class label and for label 0, and goes `guidance_scale` times from the second to the first.
// Throws Error(numerical) where a value is not finite.
at::Tensor denoise(Denoiser& unet, Scheduler& scheduler, at::Tensor latent, const UnetConditions& conditions,
                   double guidance_scale, NormalNoise& noise, const StepObserver& observer = {});

// Throws Error(numerical), naming `stage`, where a value is NaN or infinite.
void check_finite(const at::Tensor& values, const std::string& stage);

}  // namespace voldiff

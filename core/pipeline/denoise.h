// From noise to a latent: the loop over the scheduler's timesteps.
// Sources: NV-Generate-CTMR scripts/diff_model_infer.py (run_inference), scripts/utils_infer.py
// (run_controlnet_conditioned_image_dm).
#pragma once

#include "core/networks/roles.h"
#include "core/pipeline/random.h"
#include "core/schedulers/scheduler.h"

namespace voldiff {

// Called after each step, counted from 1, with the prediction (after guidance) and the new latent. May throw to stop.
using StepObserver =
    std::function<void(std::size_t step, std::size_t steps, const at::Tensor& model_output, const at::Tensor& latent)>;

// What steers a denoiser. With guidance_scale > 0 each step runs the networks for the class label and for label 0, and
// goes `guidance_scale` times from the second to the first.
struct Steering {
    UnetConditions conditions;
    double guidance_scale = 0;
    Controller* controller = nullptr;  // none: no residuals
    at::Tensor control;                // [1, channels, X, Y, Z], what the controller is given
    at::Tensor control_without;        // the same for the half with label 0; guidance only
};

// `latent` [1, C, D, H, W] is the initial noise; `scheduler` has its timesteps. Throws Error(numerical) where a value
// is not finite. What steers is best moved here: a mask as the controller takes it is eight times the image, and freed
// before the first step where the controller can embed it.
at::Tensor denoise(Denoiser& unet, Scheduler& scheduler, at::Tensor latent, Steering steering, NormalNoise& noise,
                   const StepObserver& observer = {});

// Throws Error(numerical), naming `stage`, where a value is NaN or infinite.
void check_finite(const at::Tensor& values, const std::string& stage);

}  // namespace voldiff

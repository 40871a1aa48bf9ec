// The mode that starts from a mask: a ControlNet steers the denoising by the labels.
// Source: NV-Generate-CTMR scripts/infer_image_from_mask.py (ldm_conditional_sample_one_image_from_mask),
// scripts/utils_infer.py (build_conditioning_tensors, run_controlnet_conditioned_image_dm).
#pragma once

#include "core/pipeline/sampling.h"

namespace voldiff {

// What the denoiser is told; body regions are those that the mask shows. N = 1.
// Throws Error(config) for a modality that the network has no label for, or a mask that shows no region it needs.
UnetConditions from_mask_conditions(const DiffusionUnetConfig& unet, const ImageConditions& image,
                                    const at::Tensor& labels);

// `labels` [X, Y, Z] of the request's size, integers. With guidance, what it compares with is the mask without tumours
// and no modality. The image has the background's intensity wherever the label is 0. Throws as `sample_image`, and
// Error(config) where there is no controller, or the mask has another size.
ImageResult generate_from_mask(const ImageNetworks& networks, Scheduler& scheduler, const ImageRequest& request,
                               const at::Tensor& labels, const StageProgress& progress = {},
                               const StepObserver& observer = {});

}  // namespace voldiff

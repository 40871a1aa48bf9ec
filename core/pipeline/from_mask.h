// The mode that starts from a mask: a ControlNet steers the denoising by the labels.
// Source: NV-Generate-CTMR scripts/infer_image_from_mask.py (ldm_conditional_sample_one_image_from_mask),
// scripts/utils_infer.py (build_conditioning_tensors, run_controlnet_conditioned_image_dm).
#pragma once

#include "core/anatomy/body_region.h"
#include "core/pipeline/sampling.h"

#include <optional>

namespace voldiff {

struct LabelMask {
    LabelMask(at::Tensor labels_) : labels(std::move(labels_)) {}  // NOLINT: a mask is mostly its labels

    at::Tensor labels;                   // [X, Y, Z], integers, MAISI's values
    std::optional<BodyRegions> regions;  // what it shows, where that is known; else its labels say it
    bool from_database = false;          // spacing and regions rounded as for masks of the reference's library
};

// What the denoiser is told. N = 1.
// Throws Error(config) for a modality that the network has no label for, or a mask that shows no region it needs.
UnetConditions from_mask_conditions(const DiffusionUnetConfig& unet, const ImageConditions& image,
                                    const LabelMask& mask);

// `mask` is of the request's size. With guidance, what it compares with is the mask without tumours
// and no modality. The image has the background's intensity wherever the label is 0. Throws as `sample_image`, and
// Error(config) where there is no controller, or the mask has another size.
ImageResult generate_from_mask(const ImageNetworks& networks, Scheduler& scheduler, const ImageRequest& request,
                               const LabelMask& mask, const StageProgress& progress = {},
                               const StepObserver& observer = {});

}  // namespace voldiff

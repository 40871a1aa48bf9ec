// The image-only mode: noise -> latent -> image.
// Source: NV-Generate-CTMR scripts/diff_model_infer.py (run_inference).
#pragma once

#include "core/pipeline/sampling.h"

namespace voldiff {

// Throws as `sample_image`.
ImageResult generate_image(const ImageNetworks& networks, Scheduler& scheduler, const ImageRequest& request,
                           const StageProgress& progress = {}, const StepObserver& observer = {});

}  // namespace voldiff

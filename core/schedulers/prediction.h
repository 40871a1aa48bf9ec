// What a network of the DDPM family predicts, and what that says about the noise-free sample and the noise.
// Source: monai/networks/schedulers/ddim.py (DDIMScheduler.step); v_prediction: Salimans and Ho 2022, arXiv:2202.00512.
#pragma once

#include "core/option.h"

#include <ATen/core/Tensor.h>

#include <string>

namespace voldiff {

// Both of the sample's shape.
struct Prediction {
    at::Tensor original;  // x_0, clipped where asked for
    at::Tensor epsilon;   // the noise; of the x_0 before clipping, as in MONAI
};

// Part of the model, as the noise schedule is.
struct PredictionOptions {
    std::string prediction_type = "epsilon";
    bool clip_sample = true;
    double clip_sample_min = -1;
    double clip_sample_max = 1;

    void visit_options(OptionVisitor& visitor);
    // sample = alpha x_0 + sigma noise; alpha and sigma are 0-dimensional, output and sample [N, C, D, H, W].
    Prediction predict(const at::Tensor& output, const at::Tensor& sample, const at::Tensor& alpha,
                       const at::Tensor& sigma) const;
};

}  // namespace voldiff

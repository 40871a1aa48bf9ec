#include "core/schedulers/prediction.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

void PredictionOptions::visit_options(OptionVisitor& v) {
    v.visit(Option("prediction_type", "what the network predicts").one_of({"epsilon", "sample", "v_prediction"}),
            prediction_type);
    v.visit(Option("clip_sample", "clip the predicted sample"), clip_sample);
    v.visit(Option("clip_sample_min", "lower bound of clip_sample"), clip_sample_min);
    v.visit(Option("clip_sample_max", "upper bound of clip_sample"), clip_sample_max);
}

Prediction PredictionOptions::predict(const at::Tensor& output, const at::Tensor& sample, const at::Tensor& alpha,
                                      const at::Tensor& sigma) const {
    Prediction found;
    if (prediction_type == "v_prediction") {
        found = {alpha * sample - sigma * output, alpha * output + sigma * sample};
    } else if (prediction_type == "sample") {
        found = {output, (sample - alpha * output) / sigma};
    } else {
        found = {(sample - sigma * output) / alpha, output};
    }
    if (clip_sample) found.original = found.original.clamp(clip_sample_min, clip_sample_max);
    return found;
}

}  // namespace voldiff

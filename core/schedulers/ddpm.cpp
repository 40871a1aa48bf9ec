#include "core/schedulers/ddpm.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>

namespace voldiff {

void DDPMScheduler::visit_options(OptionVisitor& v) {
    config_.visit_options(v);
    v.visit(Option("variance_type", "variance of a step")
                .one_of({"fixed_small", "fixed_large", "learned", "learned_range"}),
            variance_type_);
    v.visit(Option("clip_sample", "clip the predicted sample"), clip_sample_);
    v.visit(Option("prediction_type", "what the network predicts").one_of({"epsilon", "sample", "v_prediction"}),
            prediction_type_);
    v.visit(Option("clip_sample_min", "lower bound of clip_sample"), clip_sample_min_);
    v.visit(Option("clip_sample_max", "upper bound of clip_sample"), clip_sample_max_);
}

void DDPMScheduler::prepare() { schedule_ = make_noise_schedule(config_); }

void DDPMScheduler::set_timesteps(std::int64_t num_inference_steps, std::int64_t /*latent_voxels*/) {
    if (num_inference_steps < 1 || num_inference_steps > config_.num_train_timesteps) {
        throw Error(ErrorCode::config, "'sampling.steps' is " + std::to_string(num_inference_steps) +
                                           ", expected 1 to " + std::to_string(config_.num_train_timesteps) +
                                           " (num_train_timesteps of the model's scheduler)");
    }
    const std::int64_t ratio = config_.num_train_timesteps / num_inference_steps;
    timesteps_ = (at::arange(num_inference_steps, at::kLong) * ratio).flip(0);
}

at::Tensor DDPMScheduler::alpha_prod(std::int64_t t) const {
    return t < 0 ? at::ones({}) : schedule_.alphas_cumprod[t];
}

// x_0 as predicted, formula (15).
at::Tensor DDPMScheduler::predict_original(const at::Tensor& output, const at::Tensor& sample,
                                           const at::Tensor& alpha_prod) const {
    const at::Tensor beta_prod = 1 - alpha_prod;
    at::Tensor original = output;
    if (prediction_type_ == "epsilon") original = (sample - beta_prod.sqrt() * output) / alpha_prod.sqrt();
    if (prediction_type_ == "v_prediction") original = alpha_prod.sqrt() * sample - beta_prod.sqrt() * output;
    return clip_sample_ ? original.clamp(clip_sample_min_, clip_sample_max_) : original;
}

// Formulas (6) and (7), and MONAI's learned variants: `learned` is the network's value itself.
at::Tensor DDPMScheduler::variance(std::int64_t t, const at::Tensor& predicted) const {
    const at::Tensor beta = schedule_.betas[t];
    const at::Tensor posterior = (1 - alpha_prod(t - 1)) / (1 - alpha_prod(t)) * beta;
    if (variance_type_ == "fixed_small") return posterior.clamp_min(1e-20);
    if (variance_type_ == "fixed_large") return beta;
    if (!predicted.defined()) return posterior;
    if (variance_type_ == "learned") return predicted;
    const at::Tensor share = (predicted + 1) / 2;
    return share * beta + (1 - share) * posterior;
}

SchedulerStep DDPMScheduler::step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                                  const NoiseSource& noise) {
    const auto t = timesteps_[index].item<std::int64_t>();
    const bool learned = variance_type_ == "learned" || variance_type_ == "learned_range";
    at::Tensor output = model_output;
    at::Tensor predicted_variance;
    if (learned && model_output.size(1) == 2 * sample.size(1)) {
        output = model_output.slice(1, 0, sample.size(1));
        predicted_variance = model_output.slice(1, sample.size(1));
    }
    const at::Tensor alpha = alpha_prod(t);
    const at::Tensor alpha_previous = alpha_prod(t - 1);
    const at::Tensor original = predict_original(output, sample, alpha);
    // The mean of the previous sample, formula (7).
    const at::Tensor original_share = alpha_previous.sqrt() * schedule_.betas[t] / (1 - alpha);
    const at::Tensor sample_share = schedule_.alphas[t].sqrt() * (1 - alpha_previous) / (1 - alpha);
    at::Tensor previous = original_share * original + sample_share * sample;
    if (t > 0) previous = previous + variance(t, predicted_variance).sqrt() * noise(output);
    return {previous, original};
}

at::Tensor DDPMScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                    const at::Tensor& timesteps) const {
    return schedule_.add_noise(original, noise, timesteps);
}

}  // namespace voldiff

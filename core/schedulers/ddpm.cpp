#include "core/schedulers/ddpm.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

void DDPMScheduler::visit_options(OptionVisitor& v) {
    VPScheduler::visit_options(v);
    v.visit(Option("variance_type", "variance of a step")
                .one_of({"fixed_small", "fixed_large", "learned", "learned_range"}),
            variance_type_);
    prediction_.visit_options(v);
}

void DDPMScheduler::set_timesteps(std::int64_t num_inference_steps, std::int64_t /*latent_voxels*/) {
    check_steps(num_inference_steps, num_train_timesteps());
    timesteps_ = leading_timesteps(num_inference_steps);
}

// Formulas (6) and (7), and MONAI's learned variants: `learned` is the network's value itself.
at::Tensor DDPMScheduler::variance(std::int64_t t, const at::Tensor& predicted) const {
    const at::Tensor beta = schedule().betas[t];
    const at::Tensor posterior = (1 - alpha_prod(t - 1)) / (1 - alpha_prod(t)) * beta;
    if (variance_type_ == "fixed_small") return posterior.clamp_min(1e-20);
    if (variance_type_ == "fixed_large") return beta;
    if (!predicted.defined()) return posterior;
    if (variance_type_ == "learned") return predicted;
    const at::Tensor share = (predicted + 1) / 2;
    return share * beta + (1 - share) * posterior;
}

SchedulerStep DDPMScheduler::take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
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
    const at::Tensor original = prediction_.predict(output, sample, alpha.sqrt(), (1 - alpha).sqrt()).original;
    // The mean of the previous sample, formula (7).
    const at::Tensor original_share = alpha_previous.sqrt() * schedule().betas[t] / (1 - alpha);
    const at::Tensor sample_share = schedule().alphas[t].sqrt() * (1 - alpha_previous) / (1 - alpha);
    at::Tensor previous = original_share * original + sample_share * sample;
    if (t > 0) previous = previous + variance(t, predicted_variance).sqrt() * noise(output);
    return {previous, original};
}

}  // namespace voldiff

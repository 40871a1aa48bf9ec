#include "core/pipeline/denoise.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros_like.h>

namespace voldiff {

namespace {

at::Tensor twice(const at::Tensor& x) { return x.defined() ? at::cat({x, x}) : x; }

// Every condition twice; the second half has class label 0 (unknown).
UnetConditions guided(const UnetConditions& conditions) {
    UnetConditions both;
    both.top_region_index_tensor = twice(conditions.top_region_index_tensor);
    both.bottom_region_index_tensor = twice(conditions.bottom_region_index_tensor);
    both.spacing_tensor = twice(conditions.spacing_tensor);
    both.context = twice(conditions.context);
    if (conditions.class_labels.defined()) {
        both.class_labels = at::cat({conditions.class_labels, at::zeros_like(conditions.class_labels)});
    }
    return both;
}

// The network may compute in another type, or on another device, than the latents are kept in.
UnetConditions converted(const UnetConditions& conditions, const at::TensorOptions& options) {
    const auto convert = [&](const at::Tensor& x) { return x.defined() ? x.to(options) : x; };
    UnetConditions same;
    same.class_labels =
        conditions.class_labels.defined() ? conditions.class_labels.to(options.device()) : conditions.class_labels;
    same.top_region_index_tensor = convert(conditions.top_region_index_tensor);
    same.bottom_region_index_tensor = convert(conditions.bottom_region_index_tensor);
    same.spacing_tensor = convert(conditions.spacing_tensor);
    same.context = convert(conditions.context);
    return same;
}

// `latent` float32 -> the prediction, float32 on the CPU.
at::Tensor predict(Denoiser& unet, const at::Tensor& latent, const at::Tensor& timestep,
                   const UnetConditions& conditions, const at::TensorOptions& network, double guidance_scale) {
    const at::Tensor x = latent.to(network);
    const at::Tensor t = timestep.to(network.device());
    if (guidance_scale <= 0) return unet.forward(x, t, conditions).to(latent.options());
    const at::Tensor both = unet.forward(twice(x), twice(t), conditions).to(latent.options());
    const std::vector<at::Tensor> halves = both.chunk(2);
    return halves[1] + guidance_scale * (halves[0] - halves[1]);
}

}  // namespace

void check_finite(const at::Tensor& values, const std::string& stage) {
    // One sum instead of a mask: it is finite where every value is, unless finite values overflow it.
    if (at::isfinite(values.sum(at::kDouble)).item<bool>()) return;
    const auto bad = values.numel() - at::isfinite(values).sum().item<std::int64_t>();
    throw Error(ErrorCode::numerical,
                stage + ": " + std::to_string(bad) + " of " + std::to_string(values.numel()) +
                    " values are NaN or infinite\nexpected finite numbers; check that weights, network file and "
                    "precision belong together");
}

at::Tensor denoise(Denoiser& unet, Scheduler& scheduler, at::Tensor latent, const UnetConditions& conditions,
                   double guidance_scale, NormalNoise& noise, const StepObserver& observer) {
    const at::Tensor timesteps = scheduler.timesteps();
    const std::int64_t steps = timesteps.numel();
    const at::TensorOptions network = unet.options();
    const UnetConditions given = converted(guidance_scale > 0 ? guided(conditions) : conditions, network);
    const NoiseSource source = [&noise](const at::Tensor& like) { return noise.draw_like(like); };
    for (std::int64_t i = 0; i < steps; ++i) {
        const at::Tensor timestep = timesteps.slice(0, i, i + 1).to(latent.options().dtype(at::kFloat));  // [1]
        const at::Tensor output = predict(unet, latent, timestep, given, network, guidance_scale);
        latent = scheduler.step(output, i, latent, source).previous_sample;
        check_finite(latent, "denoising, step " + std::to_string(i + 1) + " of " + std::to_string(steps));
        if (observer) observer(static_cast<std::size_t>(i + 1), static_cast<std::size_t>(steps), output, latent);
    }
    return latent;
}

}  // namespace voldiff

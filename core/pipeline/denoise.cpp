#include "core/pipeline/denoise.h"

#include "core/error.h"
#include "core/ops/kernels/mapped_memory.h"

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

// [N, ...] of each -> [their sum, ...].
at::Tensor joined(const std::vector<at::Tensor>& parts) { return parts.size() == 1 ? parts.front() : at::cat(parts); }

at::Tensor converted(const at::Tensor& x, const at::TensorOptions& options) { return x.defined() ? x.to(options) : x; }

// The conditioning images [1, channels, X, Y, Z] of all halves as the controller takes them: embedded, where it can be,
// once for all steps.
ControlNetConditions with_control(Controller& controller, std::vector<at::Tensor> images) {
    std::vector<at::Tensor> embeddings;
    for (at::Tensor& image : images) {
        image = converted(image, controller.options());
        embeddings.push_back(controller.embed(image));
        if (embeddings.back().defined()) image.reset();
    }
    ControlNetConditions conditions;
    if (embeddings.front().defined()) {
        conditions.embedding = joined(embeddings);
    } else {
        conditions.controlnet_cond = joined(images);
    }
    return conditions;
}

// The networks may compute in another type, or on another device, than the latents are kept in.
class SteeredDenoiser {
  public:
    SteeredDenoiser(Denoiser& unet, Steering steering)
        : unet_(unet), options_(unet.options()), scale_(steering.guidance_scale), controller_(steering.controller) {
        const UnetConditions given = is_guided() ? guided(steering.conditions) : steering.conditions;
        conditions_.class_labels =
            given.class_labels.defined() ? given.class_labels.to(options_.device()) : given.class_labels;
        conditions_.top_region_index_tensor = converted(given.top_region_index_tensor, options_);
        conditions_.bottom_region_index_tensor = converted(given.bottom_region_index_tensor, options_);
        conditions_.spacing_tensor = converted(given.spacing_tensor, options_);
        conditions_.context = converted(given.context, options_);
        if (controller_ == nullptr) return;
        std::vector<at::Tensor> images{std::move(steering.control)};
        if (is_guided()) images.push_back(std::move(steering.control_without));
        control_ = with_control(*controller_, std::move(images));
        control_.context = conditions_.context;
        if (controller_->config().num_class_embeds) control_.class_labels = conditions_.class_labels;
    }

    // `latent` and the prediction: float32 on the CPU.
    at::Tensor operator()(const at::Tensor& latent, const at::Tensor& timestep) const {
        const at::Tensor x = is_guided() ? twice(latent.to(options_)) : latent.to(options_);
        const at::Tensor t = is_guided() ? twice(timestep.to(options_.device())) : timestep.to(options_.device());
        at::Tensor output = unet_.forward(x, t, conditions_, residuals(x, t)).to(latent.options());
        if (!is_guided()) return output;
        const std::vector<at::Tensor> halves = output.chunk(2);
        return halves[1] + scale_ * (halves[0] - halves[1]);
    }

  private:
    bool is_guided() const { return scale_ > 0; }

    UnetResiduals residuals(const at::Tensor& x, const at::Tensor& t) const {
        return controller_ == nullptr ? UnetResiduals() : controller_->forward(x, t, control_);
    }

    Denoiser& unet_;
    at::TensorOptions options_;
    double scale_;
    Controller* controller_;
    UnetConditions conditions_;
    ControlNetConditions control_;
};

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

at::Tensor denoise(Denoiser& unet, Scheduler& scheduler, at::Tensor latent, Steering steering, NormalNoise& noise,
                   const StepObserver& observer) {
    const at::Tensor timesteps = scheduler.timesteps();
    const std::int64_t steps = timesteps.numel();
    Controller* const controller = steering.controller;
    const SteeredDenoiser predict(unet, std::move(steering));
    const ops::MemoryReuse reuse;  // every step needs the same
    const NoiseSource source = [&noise](const at::Tensor& like) { return noise.draw_like(like); };
    for (std::int64_t i = 0; i < steps; ++i) {
        const at::Tensor timestep = timesteps.slice(0, i, i + 1).to(latent.options().dtype(at::kFloat));  // [1]
        const at::Tensor output = predict(latent, timestep);
        latent = scheduler.step(output, i, latent, source).previous_sample;
        check_finite(latent, "denoising, step " + std::to_string(i + 1) + " of " + std::to_string(steps));
        if (observer) observer(static_cast<std::size_t>(i + 1), static_cast<std::size_t>(steps), output, latent);
    }
    unet.release_packed_weights();  // what comes next, decoding, needs the memory more
    if (controller != nullptr) controller->release_packed_weights();
    return latent;
}

}  // namespace voldiff

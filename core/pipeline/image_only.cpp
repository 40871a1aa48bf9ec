#include "core/pipeline/image_only.h"

#include "core/pipeline/intensity.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

ImageOnlyResult generate_image(Autoencoder& autoencoder, Denoiser& unet, Scheduler& scheduler,
                               const ImageOnlyRequest& request, const StageProgress& progress,
                               const StepObserver& observer) {
    const std::vector<std::int64_t> shape = latent_shape(autoencoder.config(), unet.config(), request.size);
    const UnetConditions conditions = image_only_conditions(unet.config(), request.conditions);
    scheduler.set_timesteps(request.steps, shape[2] * shape[3] * shape[4]);

    ImageOnlyResult result;
    NormalNoise noise(request.seed);
    result.noise = noise.draw(shape);
    const auto on_step = [&](std::size_t step, std::size_t steps, const at::Tensor& output, const at::Tensor& latent) {
        if (observer) observer(step, steps, output, latent);
        if (progress) progress("denoise", step, steps);
    };
    result.latent = denoise(unet, scheduler, result.noise, conditions, request.guidance_scale, noise, on_step);
    const auto on_block = [&](std::size_t done, std::size_t all) {
        if (progress) progress("decode", done, all);
    };
    result.decoded = decode_latent(autoencoder, result.latent / request.scale_factor, request.decode, on_block);
    result.intensity = to_intensity(result.decoded, request.conditions.modality);
    return result;
}

}  // namespace voldiff

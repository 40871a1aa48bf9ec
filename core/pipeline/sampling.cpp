#include "core/pipeline/sampling.h"

#include "core/ops/kernels/mapped_memory.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

IntensityRange range_of(const ImageRequest& request) {
    return request.range ? *request.range : made_range(request.conditions.modality);
}

void set_timesteps(Scheduler& scheduler, const ImageRequest& request, std::int64_t latent_voxels) {
    scheduler.set_timesteps(request.steps, latent_voxels);
    if (request.start) scheduler.skip_steps(skipped_steps(request.steps, request.start->strength));
}

ImageResult sample_image(const ImageNetworks& networks, Scheduler& scheduler, const ImageRequest& request,
                         Steering steering, bool half_noise, const StageProgress& progress,
                         const StepObserver& observer) {
    const auto shape = latent_shape(networks.autoencoder.config(), networks.unet.config(), request.size);
    set_timesteps(scheduler, request, shape[2] * shape[3] * shape[4]);

    ImageResult result;
    NormalNoise noise(request.seed);
    result.noise = noise.draw(shape);
    if (half_noise) result.noise = result.noise.to(at::kHalf).to(at::kFloat);
    const auto on_step = [&](std::size_t step, std::size_t steps, const at::Tensor& output, const at::Tensor& latent) {
        if (observer) observer(step, steps, output, latent);
        if (progress) progress("denoise", step, steps);
    };
    const at::Tensor begin = request.start ? noisy_start(*request.start, scheduler, result.noise) : result.noise;
    const ops::MemoryReuse reuse;  // decoding takes what the weights and activations of denoising leave
    result.latent = denoise(networks.unet, scheduler, begin, std::move(steering), noise, on_step);
    const auto on_block = [&](std::size_t done, std::size_t all) {
        if (progress) progress("decode", done, all);
    };
    result.decoded =
        decode_latent(networks.autoencoder, result.latent / request.scale_factor, request.decode, on_block);
    result.intensity = to_intensity(result.decoded, range_of(request));
    return result;
}

}  // namespace voldiff

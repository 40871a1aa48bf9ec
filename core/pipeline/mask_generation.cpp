#include "core/pipeline/mask_generation.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <sstream>

namespace voldiff {

namespace {

void check_networks(const Autoencoder& autoencoder, const Denoiser& unet, const MaskRequest& request) {
    const auto latent = request.latent_shape;
    const std::int64_t multiple = unet.config().extent_multiple();
    std::ostringstream problem;
    if (latent.size() != 4) {
        problem << "has " << latent.size() << " numbers, expected 4 (channels and extents)";
    } else if (latent[0] != unet.config().in_channels || latent[0] != autoencoder.config().latent_channels) {
        problem << "has " << latent[0] << " channels, but the networks of masks have " << unet.config().in_channels
                << " and " << autoencoder.config().latent_channels;
    } else if (latent[1] % multiple != 0 || latent[2] % multiple != 0 || latent[3] % multiple != 0) {
        problem << "has extents " << at::IntArrayRef(latent).slice(1) << ", expected multiples of " << multiple;
    }
    if (!problem.str().empty()) throw Error(ErrorCode::config, "'mask_generation_latent_shape' " + problem.str());
    const auto width = unet.config().cross_attention_dim;
    if (width != static_cast<std::int64_t>(request.sizes.size())) {
        throw Error(ErrorCode::config, "the U-Net of masks takes conditions of " +
                                           (width ? std::to_string(*width) : "no") + " numbers, expected " +
                                           std::to_string(request.sizes.size()) + " (cross_attention_dim)");
    }
}

// [1, 1, 10], as the reference rounds it
at::Tensor context_of(const SizeCondition& sizes) {
    SizeCondition values = sizes;
    const auto count = static_cast<std::int64_t>(values.size());
    return at::from_blob(values.data(), {1, 1, count}, at::kDouble).to(at::kFloat).to(at::kHalf).to(at::kFloat);
}

at::Tensor decode(Autoencoder& autoencoder, const at::Tensor& latent, const DecodeOptions& options,
                  const BlockProgress& progress) {
    const at::Tensor input = latent.to(autoencoder.options());
    const Extents extents{latent.size(2), latent.size(3), latent.size(4)};
    const DecodeMethod& method = find_decode_method(options.method);
    if (method.extents_at_once(extents, options) == extents) {
        return autoencoder.decode_classes(input, find_decode_mode(options.mode).plan, progress);
    }
    return largest_channel(method.decode(autoencoder, input, options, progress));
}

}  // namespace

at::Tensor generate_mask_classes(Autoencoder& autoencoder, Denoiser& unet, Scheduler& scheduler,
                                 const MaskRequest& request, const StageProgress& progress) {
    check_networks(autoencoder, unet, request);
    const std::vector<std::int64_t>& shape = request.latent_shape;  // [C, d, h, w]
    scheduler.set_timesteps(request.steps, shape[1] * shape[2] * shape[3]);
    NormalNoise noise(request.seed);
    const at::Tensor start = noise.draw(shape).unsqueeze(0).to(at::kHalf).to(at::kFloat);  // [1, C, d, h, w]
    Steering steering;
    steering.conditions.context = context_of(request.sizes);
    const auto on_step = [&](std::size_t step, std::size_t steps, const at::Tensor&, const at::Tensor&) {
        if (progress) progress("mask denoise", step, steps);
    };
    if (progress) progress("mask denoise", 0, static_cast<std::size_t>(scheduler.timesteps().numel()));
    const at::Tensor latent = denoise(unet, scheduler, start, std::move(steering), noise, on_step);
    const auto on_block = [&](std::size_t done, std::size_t all) {
        if (progress) progress("mask decode", done, all);
    };
    const at::Tensor classes = decode(autoencoder, latent / request.scale_factor, request.decode, on_block).squeeze(0);
    autoencoder.release_packed_weights();
    return classes;
}

}  // namespace voldiff

// What every mode does between its conditions and its image: noise, denoising, decoding.
#pragma once

#include "core/decode/decode.h"
#include "core/pipeline/conditions.h"
#include "core/pipeline/denoise.h"
#include "core/pipeline/image_to_image.h"
#include "core/pipeline/intensity.h"

#include <functional>
#include <string>

namespace voldiff {

struct ImageRequest {
    Extents size{256, 256, 128};  // voxels, x y z
    ImageConditions conditions;
    std::int64_t steps = 30;
    double guidance_scale = 0;
    std::uint64_t seed = 0;
    double scale_factor = 1;              // latents are this much larger than what the decoder takes
    DecodeOptions decode;                 // with a method chosen
    std::optional<StartImage> start;      // none: from noise alone
    std::optional<IntensityRange> range;  // of the result; none: the modality's
};

// What a run leaves behind, every stage's result.
struct ImageResult {
    at::Tensor noise;      // [1, C, d, h, w], what the image to start from was mixed with
    at::Tensor latent;     // [1, C, d, h, w], times the scale factor
    at::Tensor decoded;    // [1, 1, X, Y, Z], as the decoder gives it
    at::Tensor intensity;  // [X, Y, Z], float32, HU or MR units
};

// Called as the stages "denoise" and "decode" go on. May throw to stop.
using StageProgress = std::function<void(const std::string& stage, std::size_t done, std::size_t all)>;

// The networks of a run. The controller is asked for by the modes that start from a mask.
struct ImageNetworks {
    Autoencoder& autoencoder;
    Denoiser& unet;
    Controller* controller = nullptr;
};

// The range of what a request makes.
IntensityRange range_of(const ImageRequest& request);

// Sets the timesteps of a request, for a latent of `latent_voxels`: all of its steps, or those that are left of them
// where it starts from an image.
void set_timesteps(Scheduler& scheduler, const ImageRequest& request, std::int64_t latent_voxels);

// From noise drawn for the request's seed (rounded to float16 where a mode of the reference does so) to the decoded
// image and its intensities. Throws Error(config) for a request that the networks cannot serve, Error(numerical) for
// values that are not finite.
ImageResult sample_image(const ImageNetworks& networks, Scheduler& scheduler, const ImageRequest& request,
                         Steering steering, bool half_noise, const StageProgress& progress,
                         const StepObserver& observer);

}  // namespace voldiff

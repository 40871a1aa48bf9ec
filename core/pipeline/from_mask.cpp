#include "core/pipeline/from_mask.h"

#include "core/anatomy/body_region.h"
#include "core/anatomy/encoding.h"
#include "core/anatomy/labels.h"
#include "core/anatomy/mask_conditions.h"
#include "core/anatomy/tumors.h"
#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <sstream>

namespace voldiff {

namespace {

// [X, Y, Z] -> [1, bits, X, Y, Z], float32
at::Tensor encode(const at::Tensor& labels, std::int64_t bits) {
    return binarize_labels(labels.unsqueeze(0).unsqueeze(0), bits).to(at::kFloat);
}

void check_size(const at::Tensor& labels, const Extents& size) {
    if (labels.sizes() == at::IntArrayRef(size.data(), size.size())) return;
    std::ostringstream message;
    message << "the mask has " << labels.sizes() << " voxels, expected " << at::IntArrayRef(size.data(), size.size());
    throw Error(ErrorCode::config, message.str());
}

}  // namespace

UnetConditions from_mask_conditions(const DiffusionUnetConfig& unet, const ImageConditions& image,
                                    const at::Tensor& labels) {
    UnetConditions conditions = image_only_conditions(unet, image);
    if (unet.include_spacing_input) conditions.spacing_tensor = hundredfold_from_mask(image.spacing).to(at::kFloat);
    if (unet.include_top_region_index_input || unet.include_bottom_region_index_input) {
        const BodyRegions regions = body_regions_of(labels);
        conditions.top_region_index_tensor = hundredfold_from_mask(regions.top).to(at::kFloat);
        conditions.bottom_region_index_tensor = hundredfold_from_mask(regions.bottom).to(at::kFloat);
    }
    return conditions;
}

ImageResult generate_from_mask(const ImageNetworks& networks, Scheduler& scheduler, const ImageRequest& request,
                               const at::Tensor& labels, const StageProgress& progress, const StepObserver& observer) {
    if (networks.controller == nullptr) {
        throw Error(ErrorCode::config,
                    "a mask needs a ControlNet, but the model has none; the network file's "
                    "controlnet_def and weights.controlnet give it");
    }
    check_size(labels, request.size);
    const std::int64_t bits = networks.controller->config().conditioning_embedding_in_channels;
    Steering steering{from_mask_conditions(networks.unet.config(), request.conditions, labels),
                      request.guidance_scale,
                      networks.controller,
                      encode(labels, bits),
                      {}};
    if (request.guidance_scale > 0) steering.control_without = encode(remove_tumors(labels), bits);
    ImageResult result = sample_image(networks, scheduler, request, steering, /*half_noise=*/true, progress, observer);
    result.intensity = with_even_background(result.intensity, labels, range_of(request).lower);
    return result;
}

}  // namespace voldiff

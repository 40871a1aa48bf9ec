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
                                    const LabelMask& mask) {
    const auto hundredfold = [&mask](c10::ArrayRef<double> values) {
        return mask.from_database ? hundredfold_from_database(values).unsqueeze(0)
                                  : hundredfold_from_mask(values).to(at::kFloat);
    };
    UnetConditions conditions = image_only_conditions(unet, image);
    if (unet.include_spacing_input) conditions.spacing_tensor = hundredfold(image.spacing);
    if (unet.include_top_region_index_input || unet.include_bottom_region_index_input) {
        const BodyRegions regions = mask.regions ? *mask.regions : body_regions_of(mask.labels);
        conditions.top_region_index_tensor = hundredfold(regions.top);
        conditions.bottom_region_index_tensor = hundredfold(regions.bottom);
    }
    return conditions;
}

ImageResult generate_from_mask(const ImageNetworks& networks, Scheduler& scheduler, const ImageRequest& request,
                               const LabelMask& mask, const StageProgress& progress, const StepObserver& observer) {
    const at::Tensor& labels = mask.labels;
    if (networks.controller == nullptr) {
        throw Error(ErrorCode::config,
                    "a mask needs a ControlNet, but the model has none; the network file's "
                    "controlnet_def and weights.controlnet give it");
    }
    check_size(labels, request.size);
    const std::int64_t bits = networks.controller->config().conditioning_embedding_in_channels;
    Steering steering{from_mask_conditions(networks.unet.config(), request.conditions, mask),
                      request.guidance_scale,
                      networks.controller,
                      encode(labels, bits),
                      {}};
    if (request.guidance_scale > 0) steering.control_without = encode(remove_tumors(labels), bits);
    ImageResult result =
        sample_image(networks, scheduler, request, std::move(steering), /*half_noise=*/true, progress, observer);
    result.intensity = with_even_background(result.intensity, labels, range_of(request).lower);
    return result;
}

}  // namespace voldiff

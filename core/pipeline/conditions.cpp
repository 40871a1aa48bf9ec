#include "core/pipeline/conditions.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <sstream>

namespace voldiff {

namespace {

template <std::size_t N>
at::Tensor hundredfold(const std::array<double, N>& values) {
    at::Tensor row = at::empty({1, static_cast<std::int64_t>(N)}, at::kDouble);
    for (std::size_t i = 0; i < N; ++i) row.data_ptr<double>()[i] = values[i] * 1e2;
    return row.to(at::kHalf).to(at::kFloat);
}

}  // namespace

UnetConditions image_only_conditions(const DiffusionUnetConfig& unet, const ImageConditions& image) {
    UnetConditions conditions;
    if (unet.include_top_region_index_input) conditions.top_region_index_tensor = hundredfold(image.top_region);
    if (unet.include_bottom_region_index_input) {
        conditions.bottom_region_index_tensor = hundredfold(image.bottom_region);
    }
    if (unet.include_spacing_input) conditions.spacing_tensor = hundredfold(image.spacing);
    if (unet.num_class_embeds) {
        if (image.modality < 0 || image.modality >= *unet.num_class_embeds) {
            throw Error(ErrorCode::config, "'image.modality' is code " + std::to_string(image.modality) +
                                               ", but the network has class labels 0 to " +
                                               std::to_string(*unet.num_class_embeds - 1) + " (num_class_embeds)");
        }
        conditions.class_labels = at::full({1}, image.modality, at::kLong);
    }
    return conditions;
}

std::vector<std::int64_t> latent_shape(const AutoencoderKlConfig& autoencoder, const DiffusionUnetConfig& unet,
                                       const Extents& size) {
    if (autoencoder.latent_channels != unet.in_channels) {
        throw Error(ErrorCode::config, "the autoencoder has " + std::to_string(autoencoder.latent_channels) +
                                           " latent channels and the diffusion U-Net takes " +
                                           std::to_string(unet.in_channels) + "; expected networks of one model");
    }
    const std::int64_t factor = autoencoder.downsampling();
    const std::int64_t multiple = factor * unet.extent_multiple();
    std::vector<std::int64_t> shape{1, autoencoder.latent_channels};
    for (const std::int64_t extent : size) {
        if (extent < multiple || extent % multiple != 0) {
            std::ostringstream message;
            message << "'image.size' is [" << size[0] << ", " << size[1] << ", " << size[2]
                    << "], expected multiples of " << multiple << " (" << factor << " for the autoencoder times "
                    << unet.extent_multiple() << " for the U-Net's levels)";
            throw Error(ErrorCode::config, message.str());
        }
        shape.push_back(extent / factor);
    }
    return shape;
}

}  // namespace voldiff

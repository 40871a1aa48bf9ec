#include "core/pipeline/image_only.h"

namespace voldiff {

ImageResult generate_image(const ImageNetworks& networks, Scheduler& scheduler, const ImageRequest& request,
                           const StageProgress& progress, const StepObserver& observer) {
    Steering steering;
    steering.conditions = image_only_conditions(networks.unet.config(), request.conditions);
    steering.guidance_scale = request.guidance_scale;
    return sample_image(networks, scheduler, request, std::move(steering), /*half_noise=*/false, progress, observer);
}

}  // namespace voldiff

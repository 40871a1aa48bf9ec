#include "core/pipeline/image_to_image.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <sstream>

namespace voldiff {

std::int64_t skipped_steps(std::int64_t steps, double strength) {
    constexpr double rounding = 1e-9;  // 0.29 * 100 is 28.999999999999996
    const auto left = static_cast<std::int64_t>(strength * static_cast<double>(steps) + rounding);
    if (left > 0 || strength == 0) return steps - left;
    std::ostringstream message;
    message << "'image_to_image.strength' " << strength << " of " << steps
            << " steps is less than one step, expected 0 or at least " << 1.0 / static_cast<double>(steps)
            << "; or more sampling.steps";
    throw Error(ErrorCode::config, message.str());
}

at::Tensor noisy_start(const StartImage& start, const Scheduler& scheduler, const at::Tensor& noise) {
    if (start.strength == 1) return noise;
    if (scheduler.timesteps().numel() == 0) return start.latent;
    return scheduler.add_noise(start.latent, noise, scheduler.timesteps().slice(0, 0, 1)).to(noise.options());
}

}  // namespace voldiff

#include "core/blocks/timestep_embedding.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/sin.h>

#include <cmath>

namespace voldiff {

at::Tensor timestep_embedding(const at::Tensor& timesteps, std::int64_t width, std::int64_t max_period) {
    if (timesteps.dim() != 1) {
        throw Error(ErrorCode::config,
                    "timesteps have " + std::to_string(timesteps.dim()) + " axes, expected one entry for each sample");
    }
    const std::int64_t half = width / 2;
    const at::Tensor exponent =
        at::arange(half, timesteps.options().dtype(at::kFloat)) * -std::log(static_cast<double>(max_period));
    const at::Tensor frequencies = at::exp(exponent / half);
    const at::Tensor angles = timesteps.to(at::kFloat).unsqueeze(1) * frequencies.unsqueeze(0);  // [N, half]
    const at::Tensor embedding = at::cat({at::cos(angles), at::sin(angles)}, 1);
    return width % 2 == 0 ? embedding : at::constant_pad_nd(embedding, {0, 1});
}

}  // namespace voldiff

#include "core/pipeline/intensity.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

at::Tensor to_intensity(const at::Tensor& decoded, std::int64_t modality) {
    const at::Tensor volume = decoded.squeeze(0).squeeze(0);  // [X, Y, Z]
    if (modality >= first_mr_modality) return volume.mul(1000).clamp_min_(0);
    return volume.mul(2000).sub_(1000).clamp_(-1000, 1000);
}

at::Tensor to_int16(const at::Tensor& intensity) { return intensity.clamp(-32768, 32767).trunc_().to(at::kShort); }

}  // namespace voldiff

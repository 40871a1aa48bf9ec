#include "core/pipeline/intensity.h"

#include "core/error.h"
#include "core/pipeline/denoise.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>

namespace voldiff {

namespace {

constexpr double upper_percentile = 99.5;

// Linear between the two values that it falls between, as numpy's.
double percentile(const at::Tensor& values, double percent) {
    const at::Tensor flat = values.flatten();
    const double place = percent / 100 * static_cast<double>(flat.numel() - 1);
    const auto below = static_cast<std::int64_t>(place);
    const auto value = [&](std::int64_t rank) { return std::get<0>(flat.kthvalue(rank + 1)).item<double>(); };
    const double low = value(below);
    if (below + 1 == flat.numel()) return low;
    return low + (place - static_cast<double>(below)) * (value(below + 1) - low);
}

}  // namespace

IntensityRange made_range(std::int64_t modality) {
    if (modality >= first_mr_modality) return {0, 1000, false};
    return {-1000, 1000, true};
}

IntensityRange range_of(const at::Tensor& volume, std::int64_t modality) {
    const at::Tensor values = volume.to(at::kFloat);
    check_finite(values, "the volume to encode");
    if (modality < first_mr_modality) return made_range(modality);
    const IntensityRange range{values.min().item<double>(), percentile(values, upper_percentile), false};
    if (range.lower < range.upper) return range;
    throw Error(ErrorCode::config, "the volume is " + std::to_string(range.lower) +
                                       " in 99.5 % of its voxels, expected an image: MR is scaled from its least "
                                       "value to its percentile 99.5");
}

at::Tensor from_intensity(const at::Tensor& volume, const IntensityRange& range) {
    const at::Tensor scaled = volume.to(at::kFloat).sub(range.lower).div_(range.upper - range.lower);
    return range.is_most ? scaled.clamp(0, 1) : scaled;
}

at::Tensor to_intensity(const at::Tensor& decoded, const IntensityRange& range) {
    at::Tensor volume = decoded.squeeze(0).squeeze(0);  // [X, Y, Z]
    volume = volume.mul(range.upper - range.lower).add_(range.lower).clamp_min_(range.lower);
    return range.is_most ? volume.clamp_max_(range.upper) : volume;
}

at::Tensor to_int16(const at::Tensor& intensity) { return intensity.clamp(-32768, 32767).trunc_().to(at::kShort); }

}  // namespace voldiff

#include "core/ops/autocast.h"

#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace voldiff::ops {

// LibTorch 2.4 has one pair of functions for all devices.
void use_autocast(c10::Device device, std::optional<c10::ScalarType> type) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    at::autocast::set_autocast_enabled(device.type(), type.has_value());
    if (type) at::autocast::set_autocast_dtype(device.type(), *type);
#else
    if (device.is_cpu()) {
        at::autocast::set_cpu_enabled(type.has_value());
        if (type) at::autocast::set_autocast_cpu_dtype(*type);
    } else {
        at::autocast::set_enabled(type.has_value());
        if (type) at::autocast::set_autocast_gpu_dtype(*type);
    }
#endif
}

}  // namespace voldiff::ops

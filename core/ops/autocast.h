// LibTorch's autocast: float32 networks whose convolutions and products are computed in half precision, as MAISI's
// scripts run (torch.amp.autocast).
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <optional>

namespace voldiff::ops {

// For what this thread computes on `device` from now on; none: off.
void use_autocast(c10::Device device, std::optional<c10::ScalarType> type);

}  // namespace voldiff::ops

// The layers of a network on streamed volumes. Each gives a volume that is made when it is read (`store.h` keeps one).
#pragma once

#include "core/ops/conv.h"
#include "core/ops/planes/planes.h"

#include <optional>

namespace voldiff::ops {

// What is done together with a convolution, as ConvFusion for tensors.
struct PlaneFusion {
    std::optional<GroupNormParameters> norm;
    Upsampling upsampling = Upsampling::none;
    Planes residual;

    PlaneFusion norm_silu(GroupNormParameters parameters) const;
    PlaneFusion upsampled(Upsampling kind) const;
    PlaneFusion plus(Planes value) const;
};

// conv3d(upsampled(silu(group_norm(x)))) + residual. Kernel 3 with stride 1 and padding 1, or kernel 1 without anything
// else. Throws Error(internal) for others.
Planes conv3d(Planes x, const ConvParameters& conv, const PlaneFusion& fusion = {});

Planes group_norm(Planes x, const GroupNormParameters& norm);
Planes group_norm_silu(Planes x, const GroupNormParameters& norm);

}  // namespace voldiff::ops

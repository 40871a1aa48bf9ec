#include "core/ops/planes/planes.h"

#include "core/ops/kernels/norm_kernels.h"

namespace voldiff::ops {

const ChannelMoments& StoredPlanes::moments() {
    if (moments_.count == 0 && !run().rehearsal()) moments_ = moments_of(buffer_->data(), size() / channels(), channels());
    return moments_;
}

}  // namespace voldiff::ops

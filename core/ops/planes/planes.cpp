#include "core/ops/planes/planes.h"

#include "core/ops/kernels/norm_kernels.h"

#include <cstring>

namespace voldiff::ops {

const ChannelMoments& StoredPlanes::moments() {
    if (moments_.count > 0 || run().rehearsal()) return moments_;
    moments_ = ChannelMoments(static_cast<std::size_t>(channels()));
    for (std::int64_t z = 0; z < extents()[0]; ++z) {
        moments_.merge(moments_of(plane(z), plane_size() / channels(), channels()));
    }
    return moments_;
}

void StoredPlanes::compact() {
    if (slots_.buffer.use_count() > 1) return;
    const PlaneSlots together{slots_.buffer, 0, plane_size()};
    const bool moves = slots_.offset != 0 || slots_.stride != plane_size();
    for (std::int64_t z = 0; moves && !run().rehearsal() && z < extents()[0]; ++z) {
        std::memmove(together.plane(z), plane(z), static_cast<std::size_t>(plane_size()) * sizeof(float));
    }
    slots_ = together;
    slots_.buffer->shrink(static_cast<std::size_t>(size()));
}

}  // namespace voldiff::ops

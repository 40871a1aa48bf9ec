#include "core/ops/planes/mapped_planes.h"

#include "core/ops/kernels/norm_kernels.h"

namespace voldiff::ops {

void MappedPlanes::make(std::int64_t first) {
    source_.ensure(first + 1);
    if (!run().rehearsal()) {
        map_(source_.plane(first), output(first));
        if (ChannelMoments* moments = gathered()) {
            moments->merge(moments_of(output(first), plane_size() / channels(), channels()));
        }
    }
    source_.release(first + 1);
    run().add_work(work_);
}

}  // namespace voldiff::ops

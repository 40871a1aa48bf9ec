#include "core/metrics/slabs.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <sstream>

namespace voldiff::metrics {

std::int64_t planes_of_slab(const at::Tensor& volume) {
    const std::int64_t plane = volume.numel() / std::max<std::int64_t>(1, volume.size(0));
    return std::max<std::int64_t>(1, slab_values / std::max<std::int64_t>(1, plane));
}

void for_each_slab(const at::Tensor& a, const at::Tensor& b,
                   const std::function<void(const at::Tensor&, const at::Tensor&)>& see) {
    if (a.sizes() != b.sizes() || a.numel() == 0) {
        std::ostringstream text;
        text << "metrics compare volumes of one size, found " << a.sizes() << " and " << b.sizes();
        throw Error(ErrorCode::config, text.str());
    }
    const std::int64_t planes = planes_of_slab(a);
    for (std::int64_t begin = 0; begin < a.size(0); begin += planes) {
        see(a.slice(0, begin, begin + planes).to(at::kDouble).contiguous(),
            b.slice(0, begin, begin + planes).to(at::kDouble).contiguous());
    }
}

}  // namespace voldiff::metrics

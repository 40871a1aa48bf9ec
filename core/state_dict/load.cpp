#include "core/state_dict/load.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

std::vector<Change> load_state_dict(Module& network, const StateDict& weights, const LoadTarget& target,
                                    const AdaptOptions& options) {
    Adaptation adapted = adapt_state_dict(network, weights, options);
    if (!adapted.exact()) throw Error(ErrorCode::weights, adapted.problem());
    for (const auto& [key, place] : network.named_tensors()) {
        const at::Tensor& value = adapted.weights[key];
        const bool channels_last = target.channels_last && value.dim() == 5;
        const auto format = channels_last ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::Contiguous;
        *place = value.to(target.device, target.type.value_or(value.scalar_type())).contiguous(format);
    }
    return std::move(adapted.changes);
}

}  // namespace voldiff

#include "core/networks/roles.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

at::Tensor largest_channel(const at::Tensor& x) {
    if (x.size(1) > 256) {
        throw Error(ErrorCode::config, "classes are asked for, but the network has " + std::to_string(x.size(1)) +
                                           " channels, expected up to 256");
    }
    return x.argmax(1).to(at::kByte);
}

at::Tensor Autoencoder::decode_classes(const at::Tensor& latent, const StreamPlan& plan,
                                       const BlockProgress& progress) {
    return largest_channel(decode_streamed(latent, plan, progress));
}

at::Tensor Autoencoder::decode_streamed(const at::Tensor& latent, const StreamPlan&, const BlockProgress& progress) {
    return decode(latent, progress);
}

at::Tensor Controller::embed(const at::Tensor&) { return {}; }

std::optional<DecodeCost> Autoencoder::decode_cost(const std::array<std::int64_t, 3>&, const StreamPlan&) const {
    return std::nullopt;
}

}  // namespace voldiff

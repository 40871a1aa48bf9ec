#include "core/networks/roles.h"

namespace voldiff {

at::Tensor Autoencoder::decode_streamed(const at::Tensor& latent, const StreamPlan&, const BlockProgress& progress) {
    return decode(latent, progress);
}

std::optional<DecodeCost> Autoencoder::decode_cost(const std::array<std::int64_t, 3>&, const StreamPlan&) const {
    return std::nullopt;
}

}  // namespace voldiff

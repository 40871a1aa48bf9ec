#include "core/compat/libtorch.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <torch/version.h>

namespace voldiff::compat {

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 1)
std::optional<at::Tensor> scaled_dot_product_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                                       double scale) {
    return at::scaled_dot_product_attention(q, k, v, {}, 0.0, false, scale);
}
#else
std::optional<at::Tensor> scaled_dot_product_attention(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                                       double) {
    return std::nullopt;
}
#endif

}  // namespace voldiff::compat

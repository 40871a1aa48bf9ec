#include "core/ops/norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/group_norm.h>

namespace voldiff::ops {

at::Tensor group_norm(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                      double eps) {
    return at::group_norm(x, groups, weight, bias, eps);
}

at::Tensor group_norm_silu(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                           double eps) {
    at::Tensor y = group_norm(x, groups, weight, bias, eps);
    return at::silu_(y);
}

}  // namespace voldiff::ops

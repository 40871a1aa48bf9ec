#include "core/ops/linear.h"

#include "core/ops/volumes.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>

namespace voldiff::ops {

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, PackedWeights& packed) {
    if (!for_own_kernels(x) || weight.scalar_type() != at::kFloat) {
        return bias.defined() ? at::linear(x, weight, bias) : at::linear(x, weight);
    }
    const at::Tensor input = x.contiguous();
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape.back() = weight.size(0);
    at::Tensor y = at::empty(shape, x.options());
    multiply_rows(*packed.linear(weight, bias), input.data_ptr<float>(), x.numel() / weight.size(1), nullptr,
                  y.data_ptr<float>());
    return y;
}

}  // namespace voldiff::ops

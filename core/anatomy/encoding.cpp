#include "core/anatomy/encoding.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/empty.h>

namespace voldiff {

at::Tensor binarize_labels(const at::Tensor& labels, std::int64_t bits) {
    if (labels.dim() != 5 || labels.size(1) != 1)
        throw Error(ErrorCode::internal, "labels to encode are not [N, 1, X, Y, Z]");
    std::vector<std::int64_t> shape = labels.sizes().vec();
    shape[1] = bits;
    at::Tensor channels = at::empty(shape, labels.options().dtype(at::kByte));
    for (std::int64_t bit = 0; bit < bits; ++bit)
        channels.select(1, bit).copy_(at::bitwise_right_shift(labels.select(1, 0), bit).bitwise_and(1));
    return channels;
}

}  // namespace voldiff

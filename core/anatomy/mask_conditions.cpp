#include "core/anatomy/mask_conditions.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

namespace voldiff {

namespace {

at::Tensor float_row(c10::ArrayRef<double> values) {
    at::Tensor row = at::empty({static_cast<std::int64_t>(values.size())}, at::kFloat);
    for (std::size_t i = 0; i < values.size(); ++i) row.data_ptr<float>()[i] = static_cast<float>(values[i]);
    return row;
}

}  // namespace

at::Tensor hundredfold_from_mask(c10::ArrayRef<double> values) {
    return float_row(values).unsqueeze(0).to(at::kHalf) * 1e2;
}

at::Tensor hundredfold_from_database(c10::ArrayRef<double> values) { return float_row(values) * 1e2; }

}  // namespace voldiff

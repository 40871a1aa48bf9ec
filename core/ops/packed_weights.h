// Weights of a layer as the kernels take them: rearranged once, at the first use.
#pragma once

#include "core/ops/kernels/linear.h"
#include "core/ops/kernels/plane_conv.h"

#include <ATen/core/Tensor.h>

#include <array>
#include <memory>
#include <mutex>

namespace voldiff::ops {

// Beside the weights in a layer. Safe to use from several threads. What it holds is made anew when the weights change.
class PackedWeights {
  public:
    PackedWeights() = default;
    ~PackedWeights();
    PackedWeights(const PackedWeights&) = delete;
    PackedWeights& operator=(const PackedWeights&) = delete;

    // weight [K, C, 3, 3, 3], bias [K].
    std::shared_ptr<const PackedConv> conv(ConvVariant variant, const at::Tensor& weight, const at::Tensor& bias);
    // weight [K, C] or [K, C, 1, 1, 1], bias [K] or undefined.
    std::shared_ptr<const PackedLinear> linear(const at::Tensor& weight, const at::Tensor& bias);
    // What `conv` has at hand for these.
    std::vector<ConvVariant> packed_variants(const at::Tensor& weight, const at::Tensor& bias);
    // Frees everything, unless all layers together hold little; it comes back with the next use.
    void release();

  private:
    void forget_other(const at::Tensor& weight, const at::Tensor& bias);
    void forget();

    std::mutex mutex_;
    at::Tensor weight_;  // what the packed ones were made of
    at::Tensor bias_;
    std::int64_t version_ = 0;
    std::array<std::shared_ptr<const PackedConv>, conv_variants> convs_;
    std::shared_ptr<const PackedLinear> linear_;
};

// Bytes that all layers hold packed.
std::size_t packed_weight_bytes();

}  // namespace voldiff::ops

// The noise of a run. Always drawn on the CPU from LibTorch's generator, so that a seed means one volume on every
// device and the same values as `torch.manual_seed(seed); torch.randn(shape)`.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace voldiff {

class NormalNoise {
  public:
    explicit NormalNoise(std::uint64_t seed);
    at::Tensor draw(at::IntArrayRef shape);          // float32
    at::Tensor draw_like(const at::Tensor& sample);  // its shape, type and device

  private:
    at::Generator generator_;
};

}  // namespace voldiff

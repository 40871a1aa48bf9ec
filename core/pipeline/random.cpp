#include "core/pipeline/random.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

namespace voldiff {

NormalNoise::NormalNoise(std::uint64_t seed) : generator_(at::make_generator<at::CPUGeneratorImpl>(seed)) {}

at::Tensor NormalNoise::draw(at::IntArrayRef shape) { return at::randn(shape, generator_); }

at::Tensor NormalNoise::draw_like(const at::Tensor& sample) { return draw(sample.sizes()).to(sample.options()); }

}  // namespace voldiff

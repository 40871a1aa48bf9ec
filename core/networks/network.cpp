#include "core/networks/network.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

namespace voldiff {

ProbeNoise::ProbeNoise(std::uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}

at::Tensor ProbeNoise::operator()(at::IntArrayRef shape) { return at::randn(shape, generator_, at::kFloat); }

}  // namespace voldiff

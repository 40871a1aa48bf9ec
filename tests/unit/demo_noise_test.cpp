// The initial noise of the demo equals the reference's bit for bit.
#include "core/pipeline/random.h"
#include "io/checkpoint/checkpoint.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>

namespace voldiff {
namespace {

TEST(NormalNoise, EqualsTheReferencesDemoNoise) {
    const at::Tensor expected = read_checkpoint(TEST_DATA "/demo/noise_seed0.safetensors").weights["noise"];
    EXPECT_TRUE(at::equal(NormalNoise(0).draw({1, 4, 16, 16, 16}), expected));
}

}  // namespace
}  // namespace voldiff

#include "core/ops/file_tensor.h"

#include "core/networks/diffusion_unet.h"
#include "core/ops/conv.h"
#include "core/ops/volumes.h"
#include "io/checkpoint/checkpoint.h"
#include "tests/support/random_weights.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace voldiff {
namespace {

// What of the tensor's values is in the memory of this process, in pages (proc(5), pagemap).
std::size_t resident_pages(const at::Tensor& tensor) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto data = reinterpret_cast<std::uintptr_t>(tensor.data_ptr());
    const std::uintptr_t first = data / page;
    std::vector<std::uint64_t> entries((data + tensor.nbytes() - 1) / page - first + 1);
    const int pagemap = ::open("/proc/self/pagemap", O_RDONLY);
    const auto bytes = static_cast<ssize_t>(entries.size() * sizeof(entries[0]));
    EXPECT_EQ(::pread(pagemap, entries.data(), static_cast<std::size_t>(bytes),
                      static_cast<off_t>(first * sizeof(entries[0]))),
              bytes);
    ::close(pagemap);
    return static_cast<std::size_t>(
        std::count_if(entries.begin(), entries.end(), [](std::uint64_t entry) { return entry >> 63 != 0; }));
}

class FileTensor : public ::testing::Test {
  protected:
    ~FileTensor() override { std::filesystem::remove(path_); }

    // A weight of 1.8 MB that a checkpoint holds as it is.
    at::Tensor from_checkpoint() {
        StateDict weights;
        at::Generator generator = at::detail::createCPUGenerator(1);
        weights.insert("weight", at::randn({128, 128, 3, 3, 3}, generator));
        write_safetensors(path_, weights);
        return read_checkpoint(path_).weights["weight"];
    }

    std::filesystem::path path_ =
        std::filesystem::temp_directory_path() / ("file_tensor" + std::to_string(getpid()) + ".safetensors");
};

TEST_F(FileTensor, ForgottenPagesComeBack) {
    const at::Tensor weight = from_checkpoint();
    const at::Tensor copy = weight.clone();
    EXPECT_GT(resident_pages(weight), 400U);
    ops::forget_pages(weight);
    EXPECT_LE(resident_pages(weight), 2U);  // those that it shares with its neighbours
    EXPECT_TRUE(weight.equal(copy));
}

TEST_F(FileTensor, OtherTensorsAreLeftAlone) {
    const at::Tensor values = at::full({1 << 20}, 3.0);
    ops::forget_pages(values);
    ops::forget_pages(at::Tensor());
    EXPECT_TRUE(values.equal(at::full({1 << 20}, 3.0)));
}

TEST_F(FileTensor, WeightsThatArePackedLeaveMemory) {
    const at::Tensor weight = from_checkpoint();
    const at::Tensor bias = at::ones({128});
    const at::Tensor x = at::ones({1, 128, 8, 8, 8});
    if (!ops::for_own_kernels(x)) GTEST_SKIP() << "LibTorch alone";
    const at::Tensor copy = weight.clone();
    EXPECT_GT(resident_pages(weight), 400U);
    ops::PackedWeights packed;
    const at::Tensor y = ops::conv3d(x, {weight, bias, &packed});
    EXPECT_LE(resident_pages(weight), 2U);
    packed.release();
    EXPECT_TRUE(ops::conv3d(x, {weight, bias, &packed}).equal(y));
}

TEST(PackedWeights, AreReleasedAndMadeAgain) {
    const at::Tensor x = at::ones({1, 512, 8, 8, 8});
    if (!ops::for_own_kernels(x)) GTEST_SKIP() << "LibTorch alone";
    const std::size_t before = ops::packed_weight_bytes();
    const at::Tensor weight = at::full({576, 512, 3, 3, 3}, 0.25);
    const at::Tensor bias = at::ones({576});
    ops::PackedWeights packed;
    const at::Tensor y = ops::conv3d(x, {weight, bias, &packed});
    EXPECT_GT(ops::packed_weight_bytes(), before + (64 << 20));
    packed.release();
    EXPECT_EQ(ops::packed_weight_bytes(), before);
    EXPECT_TRUE(ops::conv3d(x, {weight, bias, &packed}).equal(y));
}

TEST(PackedWeights, OfASmallNetworkStay) {
    DiffusionUnet unet(small_unet_config());
    fill_randomly(unet, 1);
    const at::Tensor x = at::ones({1, 2, 8, 8, 8});
    if (!ops::for_own_kernels(x)) GTEST_SKIP() << "LibTorch alone";
    const at::Tensor y = unet.forward(x, at::full({1}, 500.0), {});
    const std::size_t packed = ops::packed_weight_bytes();
    unet.release_packed_weights();
    EXPECT_EQ(ops::packed_weight_bytes(), packed);
    EXPECT_TRUE(unet.forward(x, at::full({1}, 500.0), {}).equal(y));
}

}  // namespace
}  // namespace voldiff

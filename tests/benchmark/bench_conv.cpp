// The kernels of 3x3x3 convolutions against at::conv3d, by shape.
//
//   build/bin/bench_conv [--threads N] [--only VARIANT] [INPUTS OUTPUTS EXTENT]...
//
// For each variant the best time of some rounds that take turns with LibTorch's, their ratio, and the rms of the error
// against float64 over that of LibTorch's. nearest_2x and zeros_2x are compared with the convolution of the doubled
// volume.
#include "core/ops/conv_libtorch.h"
#include "core/ops/kernels/mapped_memory.h"
#include "core/ops/kernels/plane_conv.h"
#include "core/ops/kernels/volume_rows.h"
#include "core/ops/upsample.h"
#include "core/ops/volumes.h"
#include "tests/benchmark/networks.h"

#include <ATen/Parallel.h>
#include <ATen/ops/conv3d.h>

#include <chrono>
#include <functional>

using namespace voldiff;
using namespace voldiff::benchmark;

namespace {

constexpr int rounds = 4;
constexpr const char* names[] = {"direct", "f122",       "f222",     "f224",   "f244",
                                 "f444",   "nearest_2x", "zeros_2x", "narrow", "shallow"};  // as ConvVariant

struct Shape {
    std::int64_t inputs, outputs, extent;
};

double milliseconds(const std::function<at::Tensor()>& run) {
    const auto begin = std::chrono::steady_clock::now();
    run();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

// What the variant's convolution is a convolution of.
at::Tensor upsampled(ops::ConvVariant variant, const at::Tensor& x) {
    if (variant == ops::ConvVariant::nearest_2x) return ops::upsample_nearest_2x(x);
    return variant == ops::ConvVariant::zeros_2x ? ops::upsample_zeros_2x(x) : x;
}

at::Tensor by_kernel(const ops::PackedConv& packed, const at::Tensor& x) {
    const auto outputs = static_cast<std::int64_t>(packed.outputs);
    const auto& kernels = ops::tile_kernels(packed.variant);
    const std::int64_t scale = kernels.output[0] / kernels.step[0];
    const at::Tensor y = ops::empty_volume({1, outputs, scale * x.size(2), scale * x.size(3), scale * x.size(4)}, x);
    const ops::VolumeRows rows{ops::volume(x, 0), {x.size(2), x.size(3), x.size(4)}, x.size(1)};
    ops::ConvPlanes planes;
    planes.read_row = [&](std::int64_t z, std::int64_t row, float* out, std::size_t stride) {
        copy_row(rows, z, row, out, stride);
    };
    planes.output = [&](std::int64_t z) { return ops::volume(y, 0) + z * y.size(3) * y.size(4) * outputs; };
    ops::PlaneConv conv(packed, rows.extents, planes);
    while (conv.step()) {
    }
    return y;
}

double error(const at::Tensor& y, const at::Tensor& exact) {
    return (y.to(at::kDouble) - exact).pow(2).mean().sqrt().item<double>();
}

void compare(const Shape& shape, ops::ConvVariant variant, const at::Tensor& x, const at::Tensor& weight,
             const at::Tensor& bias) {
    const ops::PackedConv packed =
        ops::pack_conv(variant, static_cast<std::size_t>(shape.outputs), static_cast<std::size_t>(shape.inputs),
                       weight.data_ptr<float>(), bias.data_ptr<float>());
    const at::Tensor input = ops::channels_last(x);
    const auto own = [&] { return by_kernel(packed, input); };
    const auto libtorch = [&] { return ops::libtorch_conv3d(upsampled(variant, x), weight, bias, 1, 1); };
    double own_time = 1e9;
    double libtorch_time = 1e9;
    for (int i = 0; i < rounds; ++i) {
        own_time = std::min(own_time, milliseconds(own));
        libtorch_time = std::min(libtorch_time, milliseconds(libtorch));
    }
    const at::Tensor wide = x.to(at::kDouble);
    const at::Tensor exact = at::conv3d(upsampled(variant, wide), weight.to(at::kDouble), bias.to(at::kDouble), 1, 1);
    std::printf("%4ld -> %-4ld %3ld^3  %-10s  LibTorch %8.2f ms  kernel %8.2f ms  ratio %5.2f  error ratio %.2f\n",
                static_cast<long>(shape.inputs), static_cast<long>(shape.outputs), static_cast<long>(shape.extent),
                names[static_cast<std::size_t>(variant)], libtorch_time, own_time, libtorch_time / own_time,
                error(own(), exact) / error(libtorch(), exact));
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const ops::MemoryReuse reuse;  // as in core/pipeline/denoise
    std::vector<Shape> shapes;
    std::string only;
    int first = 1;
    at::set_num_threads(2);
    for (; first + 1 < argc && argv[first][0] == '-'; first += 2) {
        if (std::string(argv[first]) == "--threads") at::set_num_threads(std::atoi(argv[first + 1]));
        if (std::string(argv[first]) == "--only") only = argv[first + 1];
    }
    for (int i = first; i + 2 < argc; i += 3) {
        shapes.push_back({std::atoi(argv[i]), std::atoi(argv[i + 1]), std::atoi(argv[i + 2])});
    }
    if (shapes.empty()) shapes = {{64, 64, 32}, {128, 128, 16}, {256, 256, 8}, {512, 512, 4}, {4, 64, 32}, {64, 4, 32}};
    for (const Shape& shape : shapes) {
        const at::Tensor x = random_tensor({1, shape.inputs, shape.extent, shape.extent, shape.extent}, 1);
        const at::Tensor weight = random_tensor({shape.outputs, shape.inputs, 3, 3, 3}, 2)
                                      .div_(std::sqrt(27.0 * static_cast<double>(shape.inputs)));
        const at::Tensor bias = random_tensor({shape.outputs}, 3);
        for (std::size_t i = 0; i < ops::conv_variants; ++i) {
            if (only.empty() || only == names[i]) compare(shape, static_cast<ops::ConvVariant>(i), x, weight, bias);
        }
    }
    return 0;
}

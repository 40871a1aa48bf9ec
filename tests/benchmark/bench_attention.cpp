// Attention by the kernel against chunks of LibTorch's products, by shape.
//
//   build/bin/bench_attention [--threads N] [HEADS TOKENS WIDTH]...
//
// The best time of some rounds that take turns, their ratio, and the rms of the error against float64 over that of
// LibTorch's. Debian's reference BLAS is slow: run it with a fast libblas.so.3 (libopenblas0-pthread) in
// LD_LIBRARY_PATH.
#include "core/ops/attention.h"
#include "core/ops/conv_policy.h"
#include "core/ops/kernels/mapped_memory.h"
#include "tests/benchmark/networks.h"

#include <ATen/Parallel.h>

#include <chrono>

using namespace voldiff;
using namespace voldiff::benchmark;

namespace {

constexpr int rounds = 4;

struct Heads {
    std::int64_t heads, tokens, width;
};

struct Timed {
    double milliseconds = 1e9;
    at::Tensor result;
};

void attend(const std::vector<at::Tensor>& qkv, bool own, Timed& best) {
    ops::use_own_kernels(own);
    const auto begin = std::chrono::steady_clock::now();
    const double scale = 1 / std::sqrt(static_cast<double>(qkv[0].size(3)));
    best.result = ops::attention(qkv[0], qkv[1], qkv[2], {scale, {}, nullptr});
    const std::chrono::duration<double, std::milli> passed = std::chrono::steady_clock::now() - begin;
    best.milliseconds = std::min(best.milliseconds, passed.count());
}

double error(const at::Tensor& y, const at::Tensor& exact) {
    return (y.to(at::kDouble) - exact).pow(2).mean().sqrt().item<double>();
}

void compare(const Heads& shape) {
    std::vector<at::Tensor> qkv;
    for (const std::uint64_t seed : {1, 2, 3}) {
        qkv.push_back(random_tensor({1, shape.heads, shape.tokens, shape.width}, seed));
    }
    Timed own, libtorch, exact;
    for (int i = 0; i < rounds; ++i) {
        attend(qkv, true, own);
        attend(qkv, false, libtorch);
    }
    for (at::Tensor& x : qkv) x = x.to(at::kDouble);
    attend(qkv, false, exact);
    std::printf(
        "%2ld heads  %6ld tokens  width %3ld  LibTorch %8.2f ms  kernel %8.2f ms  ratio %5.2f  error ratio %.2f\n",
        static_cast<long>(shape.heads), static_cast<long>(shape.tokens), static_cast<long>(shape.width),
        libtorch.milliseconds, own.milliseconds, libtorch.milliseconds / own.milliseconds,
        error(own.result, exact.result) / error(libtorch.result, exact.result));
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const ops::MemoryReuse reuse;  // as in core/pipeline/denoise
    std::vector<Heads> shapes;
    int first = 1;
    at::set_num_threads(2);
    if (argc > 2 && std::string(argv[1]) == "--threads") {
        at::set_num_threads(std::atoi(argv[2]));
        first = 3;
    }
    for (int i = first; i + 2 < argc; i += 3) {
        shapes.push_back({std::atoi(argv[i]), std::atoi(argv[i + 1]), std::atoi(argv[i + 2])});
    }
    if (shapes.empty()) shapes = {{8, 64, 64}, {8, 512, 32}, {8, 4096, 32}, {8, 4096, 64}, {8, 8192, 64}};
    for (const Heads& shape : shapes) compare(shape);
    return 0;
}

// voldiff's half of side_by_side.py: one network with the weights of a run config, on one input.
//
//   bench_side decoder|unet RUN_CONFIG D H W THREADS CALLS MODE OUTPUT
//
// The input is what torch.manual_seed(0) and torch.randn([1, 4, D, H, W]) give. CALLS: the time is
// the median of those after the first; with 1 what is done once is part of it. MODE: a decode.mode. OUTPUT: a file for
// the result, plain float32 values. Prints {"seconds": wall time of a call, "cpu_seconds": of all threads,
// "peak_bytes": of the whole process}.
#include "core/decode/decode_mode.h"
#include "core/networks/autoencoder_kl.h"
#include "core/networks/diffusion_unet.h"
#include "core/ops/kernels/mapped_memory.h"
#include "io/model/model.h"
#include "io/system/system.h"
#include "tests/benchmark/networks.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

using namespace voldiff;
using namespace voldiff::benchmark;

namespace {

std::function<at::Tensor()> call_of(const std::string& task, Network& network, at::IntArrayRef latent,
                                    const std::string& mode) {
    const at::Tensor x = random_tensor({1, 4, latent[0], latent[1], latent[2]}, 0);
    if (task == "decoder") {
        auto& decoder = dynamic_cast<AutoencoderKl&>(network);
        return [=, &decoder] { return decoder.decode_streamed(x, find_decode_mode(mode).plan); };
    }
    auto& unet = dynamic_cast<DiffusionUnet&>(network);
    const UnetConditions conditions = conditions_of(unet.config(), at::kFloat);
    // Memory is reused as in core/pipeline/denoise.
    return [=, &unet, reuse = std::make_shared<ops::MemoryReuse>()] {
        return unet.forward(x, at::full({1}, 500.0), conditions);
    };
}

std::pair<double, double> middle_after_first(std::vector<std::pair<double, double>> times) {
    if (times.size() > 1) times.erase(times.begin());
    std::sort(times.begin(), times.end());
    return times[(times.size() - 1) / 2];
}

void measure(const std::vector<std::string>& words) {
    at::set_num_threads(std::stoi(words[5]));
    const RunConfig run = load_run_config({words[1], {}, {}});
    const LoadedNetwork loaded = load_network(run, words[0] == "decoder" ? "autoencoder" : "diffusion_unet");
    const std::vector<std::int64_t> latent{std::stol(words[2]), std::stol(words[3]), std::stol(words[4])};
    const auto call = call_of(words[0], *loaded.network, latent, words[7]);
    std::vector<std::pair<double, double>> times;
    at::Tensor result;
    for (int i = 0; i < std::stoi(words[6]); ++i) {
        const auto began = std::chrono::steady_clock::now();
        const std::clock_t cpu_began = std::clock();
        result = call();
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
        times.emplace_back(seconds.count(), static_cast<double>(std::clock() - cpu_began) / CLOCKS_PER_SEC);
    }
    const auto [seconds, cpu_seconds] = middle_after_first(std::move(times));
    std::cout << "{\"seconds\": " << seconds << ", \"cpu_seconds\": " << cpu_seconds
              << ", \"peak_bytes\": " << peak_memory() << "}" << std::endl;
    result = result.contiguous();
    std::ofstream(words[8], std::ios::binary)
        .write(static_cast<const char*>(result.data_ptr()), static_cast<std::streamsize>(result.nbytes()));
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() != 9) {
        std::cerr << "usage: bench_side decoder|unet RUN_CONFIG D H W THREADS CALLS MODE OUTPUT\n";
        return 2;
    }
    try {
        measure(words);
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
    return 0;
}

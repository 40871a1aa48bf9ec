// Decodes a random latent with MAISI's decoder and random weights.
//
//   bench_decode MODE D H W [threads]      MODE: forward (on tensors), a decode.mode, or predict
//
// Prints one line: mode, latent, seconds (wall and all threads' CPU), predicted and measured peak of the memory that
// decoding adds. The libraries are warm: a tiny latent is decoded before.
#include "core/decode/decode_mode.h"
#include "core/networks/autoencoder_kl.h"
#include "io/system/system.h"
#include "tests/support/random_weights.h"

#include <ATen/Parallel.h>

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace {

using namespace voldiff;

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

AutoencoderKlConfig maisi() {
    AutoencoderKlConfig config = AutoencoderKlConfig::of("AutoencoderKlMaisi");
    config.latent_channels = 4;
    config.num_channels = {64, 128, 256};
    config.attention_levels = {false, false, false};
    config.check();
    return config;
}

void predict(const std::array<std::int64_t, 3>& latent) {
    const AutoencoderKl autoencoder(maisi());
    for (const DecodeMode& mode : decode_modes()) {
        const auto cost = autoencoder.decode_cost(latent, mode.plan);
        std::printf("%-10s %ldx%ldx%ld  predicted %8.1f MB  work %.3g\n", mode.name.c_str(), latent[0], latent[1],
                    latent[2], cost->bytes / 1e6, cost->work);
    }
}

void run(const std::string& mode, const std::array<std::int64_t, 3>& latent) {
    AutoencoderKl autoencoder(maisi());
    fill_randomly(autoencoder, 1);
    for (const auto& [key, tensor] : autoencoder.named_tensors()) {
        if (tensor->dim() == 5)
            tensor->mul_(1 / (0.3 * std::sqrt(static_cast<double>(tensor->numel() / tensor->size(0)))));
    }
    at::Generator generator = at::detail::createCPUGenerator(2);
    const at::Tensor z = at::randn({1, 4, latent[0], latent[1], latent[2]}, generator);
    autoencoder.decode_streamed(z.slice(2, 0, 4).slice(3, 0, 4).slice(4, 0, 4), {});
    reset_peak_memory();
    const double cpu_before = cpu_seconds();
    const double before = static_cast<double>(resident_memory());
    const auto began = std::chrono::steady_clock::now();
    double predicted = 0;
    at::Tensor image;
    if (mode == "forward") {
        image = autoencoder.decode(z);
    } else {
        const StreamPlan& plan = find_decode_mode(mode).plan;
        predicted = autoencoder.decode_cost(latent, plan)->bytes;
        image = autoencoder.decode_streamed(z, plan);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    const double cpu = cpu_seconds() - cpu_before;
    const auto peak = static_cast<double>(peak_memory());
    std::printf(
        "%-10s %ldx%ldx%ld  threads %d  %7.2f s  CPU %7.2f s  predicted %7.1f MB  measured %7.1f MB  (%+.1f %%)  total "
        "RSS %7.1f MB  sum %.9g\n",
        mode.c_str(), latent[0], latent[1], latent[2], at::get_num_threads(), seconds.count(), cpu, predicted / 1e6,
        (peak - before) / 1e6, 100 * (predicted / (peak - before) - 1), peak / 1e6,
        image.to(at::kDouble).abs().sum().item<double>());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fprintf(stderr, "usage: bench_decode MODE D H W [threads]\n");
        return 2;
    }
    at::set_num_threads(argc > 5 ? std::atoi(argv[5]) : voldiff::core_count());
    const std::array<std::int64_t, 3> latent{std::atol(argv[2]), std::atol(argv[3]), std::atol(argv[4])};
    std::string(argv[1]) == "predict" ? predict(latent) : run(argv[1], latent);
    return 0;
}

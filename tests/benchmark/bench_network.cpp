// How fast and how exact the networks are by the kernels in core/ops/kernels, against LibTorch's own path.
//
//   build/bin/bench_network RUN_CONFIG [--threads N] [--latent D H W] [--repeats N] [--unet|--decoder] [--exact]
//   [--trained]
//
// Weights are random and keep the size of the activations; with --trained they are those of the run config
// (configs/demo.yaml has some, configs/rflow-ct.yaml the networks of MAISI). The two paths take turns, so a busy
// machine slows both; the ratio is of the best times.
// --exact adds the error of both against float64, rms over rms of the output.
#include "core/networks/autoencoder_kl.h"
#include "core/networks/diffusion_unet.h"
#include "core/ops/conv_policy.h"
#include "core/ops/packed_weights.h"
#include "io/config/network_config.h"
#include "io/model/model.h"
#include "tests/benchmark/networks.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>

using namespace voldiff;
using namespace voldiff::benchmark;

namespace {

struct Settings {
    std::string config;
    int threads = 2;
    std::array<std::int64_t, 3> latent{32, 32, 32};
    int repeats = 3;
    bool unet = true, decoder = true, exact = false, trained = false;
};

Settings read_arguments(int argc, char** argv) {
    Settings settings;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--threads") {
            settings.threads = std::atoi(argv[++i]);
        } else if (word == "--repeats") {
            settings.repeats = std::atoi(argv[++i]);
        } else if (word == "--latent") {
            for (auto& extent : settings.latent) extent = std::atoi(argv[++i]);
        } else if (word == "--unet") {
            settings.decoder = false;
        } else if (word == "--decoder") {
            settings.unet = false;
        } else if (word == "--exact") {
            settings.exact = true;
        } else if (word == "--trained") {
            settings.trained = true;
        } else {
            settings.config = word;
        }
    }
    return settings;
}

struct Networks {
    std::unique_ptr<AutoencoderKl> autoencoder;
    std::unique_ptr<DiffusionUnet> unet;
};

Networks random_networks(const std::string& file) {
    const NetworkConfig config = load_network_config(file);
    Networks networks{std::make_unique<AutoencoderKl>(config.autoencoder),
                      std::make_unique<DiffusionUnet>(config.diffusion_unet)};
    fill_weights(*networks.autoencoder, 3);
    fill_weights(*networks.unet, 1);
    return networks;
}

Networks trained_networks(const std::string& file) {
    Model model = load_model(load_run_config({file, {}, {}}));
    return {std::unique_ptr<AutoencoderKl>(dynamic_cast<AutoencoderKl*>(model.autoencoder.release())),
            std::unique_ptr<DiffusionUnet>(dynamic_cast<DiffusionUnet*>(model.diffusion_unet.release()))};
}

struct Time {
    double wall = 1e9;
    double cpu = 1e9;  // of all threads together; what others do on the machine disturbs it less

    void keep_best(const Time& other) {
        wall = std::min(wall, other.wall);
        cpu = std::min(cpu, other.cpu);
    }
};

Time time_of(const std::function<at::Tensor()>& run) {
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t cpu_begin = std::clock();
    run();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    return {wall.count(), static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC};
}

double relative_rms(const at::Tensor& y, const at::Tensor& expected) {
    return ((y.to(at::kDouble) - expected).pow(2).mean().sqrt() / expected.pow(2).mean().sqrt()).item<double>();
}

void compare(const std::string& name, Module& network, const Settings& settings,
             const std::function<at::Tensor(at::ScalarType)>& run) {
    const auto in_float = [&] { return run(at::kFloat); };
    Time own;
    Time libtorch;
    for (int i = 0; i <= settings.repeats; ++i) {  // the first round warms up
        ops::use_own_kernels(true);
        const Time own_now = time_of(in_float);
        ops::use_own_kernels(false);
        const Time libtorch_now = time_of(in_float);
        if (i == 0) continue;
        own.keep_best(own_now);
        libtorch.keep_best(libtorch_now);
    }
    std::printf("%s, %d threads: LibTorch %.0f ms, own kernels %.0f ms, ratio %.2f\n", name.c_str(), settings.threads,
                libtorch.wall * 1e3, own.wall * 1e3, libtorch.wall / own.wall);
    std::printf("  CPU time %.0f and %.0f ms, ratio %.2f; packed weights %.0f MB\n", libtorch.cpu * 1e3, own.cpu * 1e3,
                libtorch.cpu / own.cpu, static_cast<double>(ops::packed_weight_bytes()) / 1e6);
    if (!settings.exact) return;
    const at::Tensor by_libtorch = in_float();
    ops::use_own_kernels(true);
    const at::Tensor by_kernels = in_float();
    convert_weights(network, at::kDouble);
    const at::Tensor expected = run(at::kDouble);
    std::printf("  error: LibTorch %.3e, own kernels %.3e\n", relative_rms(by_libtorch, expected),
                relative_rms(by_kernels, expected));
}

}  // namespace

int main(int argc, char** argv) {
    const Settings settings = read_arguments(argc, argv);
    if (settings.config.empty()) return std::fprintf(stderr, "usage: bench_network RUN_CONFIG [options]\n"), 2;
    at::set_num_threads(settings.threads);
    Networks networks = settings.trained ? trained_networks(settings.config) : random_networks(settings.config);
    const auto& e = settings.latent;
    if (settings.unet) {
        DiffusionUnet& unet = *networks.unet;
        const at::Tensor x = random_tensor({1, unet.config().in_channels, e[0], e[1], e[2]}, 2);
        compare("U-Net step", unet, settings, [&](at::ScalarType type) {
            return unet.forward(x.to(type), at::full({1}, 500.0).to(type), conditions_of(unet.config(), type));
        });
    }
    if (settings.decoder) {
        AutoencoderKl& autoencoder = *networks.autoencoder;
        const at::Tensor z = random_tensor({1, autoencoder.config().latent_channels, e[0], e[1], e[2]}, 4);
        compare("decoder", autoencoder, settings, [&](at::ScalarType type) { return autoencoder.decode(z.to(type)); });
    }
    return 0;
}

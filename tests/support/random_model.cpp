// Weight files with random values for every network of a network file: for tests and measurements of what does not
// depend on training.
//   random_model NETWORK.yaml FOLDER [SEED]   writes FOLDER/autoencoder.safetensors and so on
#include "core/error.h"
#include "core/networks/network.h"
#include "io/checkpoint/checkpoint.h"
#include "io/model/model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

#include <cmath>
#include <iostream>

namespace voldiff {

namespace {

// Values that keep the size of what goes through: norms about 1, the rest by the number of inputs.
at::Tensor random_values(const at::Tensor& like, at::Generator generator) {
    const at::Tensor noise = at::randn(like.sizes(), std::move(generator), at::kFloat);
    if (like.dim() == 1) return noise.mul_(0.1).add_(1);
    return noise.mul_(1 / std::sqrt(static_cast<double>(like[0].numel())));
}

void write_network(const NetworkConfig& config, const std::string& name, const std::filesystem::path& file,
                   std::uint64_t seed) {
    const std::unique_ptr<Network> network = make_network(config, name);
    const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    StateDict weights;
    for (const auto& [key, tensor] : network->named_tensors()) {
        const bool is_bias = key.size() > 4 && key.compare(key.size() - 4, 4, "bias") == 0;
        at::Tensor values = random_values(*tensor, generator);
        weights.insert(key, is_bias ? values.sub_(1) : values);
    }
    write_safetensors(file, weights, {{"scale_factor", "1"}});
}

}  // namespace

}  // namespace voldiff

int main(int argc, char** argv) {
    if (argc < 3) {
        std::cerr << "usage: random_model NETWORK.yaml FOLDER [SEED]\n";
        return 2;
    }
    try {
        const voldiff::NetworkConfig config = voldiff::load_network_config(argv[1]);
        const std::filesystem::path folder = argv[2];
        std::filesystem::create_directories(folder);
        const std::uint64_t seed = argc > 3 ? std::stoull(argv[3]) : 0;
        for (const std::string& name : voldiff::network_names(config)) {
            voldiff::write_network(config, name, folder / (name + ".safetensors"), seed);
        }
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
    return 0;
}

// How near the samplers of a rectified-flow model come to a result of many steps, by network calls.
//
//   build/bin/flow_samplers configs/demo.yaml
//
// PSNR in dB (data range 2000 HU) of the volume against 200 steps of the model's own scheduler, and against 200 steps
// of rflow_heun, which is the flow without rounded timesteps; mean over three seeds.
#include "core/metrics/difference.h"
#include "io/config/scheduler_config.h"
#include "io/config/yaml.h"
#include "io/model/model.h"
#include "tests/benchmark/samplers.h"

#include <ATen/Parallel.h>

#include <map>

using namespace voldiff;
using namespace voldiff::benchmark;

namespace {

constexpr std::int64_t seeds = 3;
constexpr std::int64_t reference_steps = 200;

class Sampler {
  public:
    explicit Sampler(const RunConfig& run) : run_(run), model_(load_model(run)) {}

    std::unique_ptr<Scheduler> scheduler(const std::string& type) const {
        Problems problems;
        auto made = read_scheduler(raw_node(run_.network.noise_scheduler), parse_yaml("type: " + type, type), problems);
        problems.throw_if_any();
        return made;
    }
    std::int64_t latent_voxels() const {
        const auto shape = latent_shape(run_.network.autoencoder, run_.network.diffusion_unet, run_.image.size);
        return shape[2] * shape[3] * shape[4];
    }
    at::Tensor volume(const std::string& type, std::int64_t steps, std::int64_t seed) {
        ImageOnlyRequest request = image_only_request(run_, model_);
        request.steps = steps;
        request.seed = static_cast<std::uint64_t>(seed);
        request.decode.method = "whole";
        return generate_image(*model_.autoencoder, *model_.diffusion_unet, *scheduler(type), request).intensity;
    }

  private:
    const RunConfig& run_;
    Model model_;
};

// The row of one sampler against each reference: references[name][seed].
std::map<std::string, Row> measure(Sampler& sampler, const std::string& type,
                                   const std::map<std::string, std::vector<at::Tensor>>& references) {
    std::map<std::string, Row> rows;
    for (const std::int64_t calls : budgets) {
        const std::int64_t steps = steps_within(*sampler.scheduler(type), calls, sampler.latent_voxels());
        std::map<std::string, double> sums;
        for (std::int64_t seed = 0; seed < seeds; ++seed) {
            const at::Tensor volume = sampler.volume(type, steps, seed);
            for (const auto& [name, volumes] : references) {
                sums[name] += peak_signal_to_noise_ratio(volume, volumes[static_cast<std::size_t>(seed)], 2000);
            }
        }
        for (const auto& [name, sum] : sums) {
            rows[name].cells.push_back(number(sum / seeds, "%.1f"));
            std::fprintf(stderr, "%s, %ld calls, against %s: %s dB\n", type.c_str(), static_cast<long>(calls),
                         name.c_str(), rows[name].cells.back().c_str());
        }
    }
    for (auto& [name, row] : rows) row.name = type;
    return rows;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::fprintf(stderr, "usage: flow_samplers RUN_CONFIG\n"), 2;
    const RunConfig run = load_run_config({argv[1], {}, {}});
    at::set_num_threads(1);  // nothing is timed, and on a busy machine two threads wait for each other
    Sampler sampler(run);
    std::map<std::string, std::vector<at::Tensor>> references;
    for (const std::string type : {"rflow", "rflow_heun"}) {
        for (std::int64_t seed = 0; seed < seeds; ++seed) {
            references[type].push_back(sampler.volume(type, reference_steps, seed));
        }
    }
    std::map<std::string, std::vector<Row>> tables;
    for (const SchedulerEntry& entry : scheduler_table()) {
        if (entry.make()->noise_schedule() != nullptr) continue;
        for (auto& [name, row] : measure(sampler, entry.name, references)) tables[name].push_back(row);
    }
    for (const auto& [name, rows] : tables) print_table("PSNR in dB against 200 steps of " + name, rows);
    double between = 0;
    for (std::size_t i = 0; i < seeds; ++i) {
        between += peak_signal_to_noise_ratio(references["rflow"][i], references["rflow_heun"][i], 2000) / seeds;
    }
    std::printf("\nThe two references are %.1f dB apart.\n", between);
    return 0;
}

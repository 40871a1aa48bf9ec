// How near the samplers of DDPM-trained models come to the exact flow, by network calls.
//
//   build/bin/noise_schedule_samplers
//
// There is no small trained model of this family, so the network is the best one possible for a mixture of five
// Gaussians in 8 dimensions (centres N(0, 1), deviations 0.05 to 0.3), on MAISI's DDPM schedule. Root mean square
// distance over 512 samples to 1000 steps of unipc in log SNR; ddpm draws noise, so it has no such distance.
#include "io/config/scheduler_config.h"
#include "io/config/yaml.h"
#include "tests/benchmark/samplers.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <cmath>

using namespace voldiff;
using namespace voldiff::benchmark;

namespace {

constexpr const char* schedule =
    "schedule: scaled_linear_beta, beta_start: 0.0015, beta_end: 0.0195, clip_sample: false";

// E[noise | sample] for the mixture; samples [N, dimensions].
class Mixture {
  public:
    explicit Mixture(const NoiseSchedule& noise)
        : log_alphas_(noise.alphas_cumprod.to(at::kDouble).log() / 2),
          generator_(at::detail::createCPUGenerator(0)),
          centres_(at::randn({1, 5, 8}, generator_, at::TensorOptions(at::kDouble))),
          variances_(at::tensor({0.05, 0.1, 0.2, 0.3, 0.15}, at::kDouble).pow(2).view({1, 5, 1})) {}

    at::Tensor draw_noise() { return at::randn({512, 8}, generator_, at::TensorOptions(at::kDouble)); }

    at::Tensor epsilon(const at::Tensor& sample, double t) const {
        const auto below = static_cast<std::int64_t>(t);
        const std::int64_t above = std::min<std::int64_t>(below + 1, log_alphas_.numel() - 1);
        const double share = t - static_cast<double>(below);
        const double alpha =
            std::exp((1 - share) * log_alphas_[below].item<double>() + share * log_alphas_[above].item<double>());
        const at::Tensor variance = alpha * alpha * variances_ + (1 - alpha * alpha);  // of each component, noisy
        const at::Tensor distance = sample.unsqueeze(1) - alpha * centres_;            // [N, 5, 8]
        const at::Tensor density = -distance.pow(2).sum(2, true) / (2 * variance) - 4 * variance.log();
        const at::Tensor original = centres_ + alpha * variances_ / variance * distance;
        return (sample - alpha * (at::softmax(density, 1) * original).sum(1)) / std::sqrt(1 - alpha * alpha);
    }

  private:
    at::Tensor log_alphas_;
    at::Generator generator_;
    at::Tensor centres_;
    at::Tensor variances_;
};

std::unique_ptr<Scheduler> scheduler_of(const std::string& options) {
    Problems problems;
    const std::string model = std::string("{type: ddpm, ") + schedule + "}";
    auto made = read_scheduler(parse_yaml(model, "model"), parse_yaml("{" + options + "}", "options"), problems);
    problems.throw_if_any();
    return made;
}

at::Tensor sampled(Scheduler& scheduler, const Mixture& mixture, at::Tensor sample) {
    for (std::int64_t i = 0; i < scheduler.timesteps().numel(); ++i) {
        const at::Tensor output = mixture.epsilon(sample, scheduler.timesteps()[i].item<double>());
        sample = scheduler.step(output, i, sample, {}).previous_sample;
    }
    return sample;
}

Row measure(const std::string& options, const Mixture& mixture, const at::Tensor& noise, const at::Tensor& exact) {
    Row row{options, {}};
    for (const std::int64_t calls : budgets) {
        const auto scheduler = scheduler_of(options);
        if (steps_within(*scheduler, calls, 1) == 0) {
            row.cells.emplace_back("-");
            continue;
        }
        const at::Tensor difference = sampled(*scheduler, mixture, noise) - exact;
        row.cells.push_back(number(std::sqrt(difference.pow(2).mean().item<double>()), "%.3f"));
    }
    return row;
}

}  // namespace

int main() {
    const auto finest = scheduler_of("type: unipc, timestep_spacing: logsnr");
    finest->set_timesteps(1000, 1);
    Mixture mixture(*finest->noise_schedule());
    const at::Tensor noise = mixture.draw_noise();
    const at::Tensor exact = sampled(*finest, mixture, noise);
    std::vector<Row> rows;
    for (const char* options :
         {"type: ddim", "type: pndm", "type: pndm, skip_prk_steps: true", "type: dpmpp_2m", "type: unipc",
          "type: dpmpp_2m, timestep_spacing: logsnr", "type: unipc, timestep_spacing: logsnr"}) {
        rows.push_back(measure(options, mixture, noise, exact));
    }
    print_table("RMS distance to the exact flow, Gaussian mixture", rows);
    return 0;
}

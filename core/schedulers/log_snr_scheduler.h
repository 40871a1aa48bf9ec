// What the exponential integrators share: they integrate the probability flow of a DDPM-trained model over
// lambda = log(alpha / sigma), where x_0 is the only thing that has to be approximated.
// Source: Lu et al. 2022, arXiv:2206.00927 (section 3 and appendix D.2, models of discrete time: log alpha is
// interpolated between timesteps) and arXiv:2211.01095 (data prediction).
//
// Timesteps: `trailing` (Lin et al. 2023, arXiv:2305.08891), whole ones at equal distances, the first is the training's
// last; or `logsnr`, equal distances in lambda, not whole. Both end in the clean sample, which is the last x_0.
#pragma once

#include "core/schedulers/prediction.h"
#include "core/schedulers/vp_scheduler.h"

#include <vector>

namespace voldiff {

// sample = alpha x_0 + sigma noise.
struct SnrPoint {
    double t = 0;
    double alpha = 1;
    double sigma = 0;
    double lambda = 0;  // infinite without noise
};

class LogSnrScheduler : public VPScheduler {
  public:
    // x_0 is clipped where the model's scheduler says so, and not by default: the scheduler is for latents.
    LogSnrScheduler() { prediction_.clip_sample = false; }

    void visit_options(OptionVisitor& visitor) override;
    // Throws Error(config) for a schedule without noise at its first, or without data at its last timestep.
    void prepare() override;
    void set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) override;
    void skip_steps(std::int64_t steps) override;
    // Also between whole timesteps.
    at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                         const at::Tensor& timesteps) const override;

  protected:
    // One point a network call and, last, the clean sample.
    const SnrPoint& point(std::int64_t index) const { return points_[static_cast<std::size_t>(index)]; }
    bool is_last(std::int64_t index) const { return index + 1 == timesteps_.numel(); }
    // lambda from a point to the next one
    double step_length(std::int64_t index) const { return point(index + 1).lambda - point(index).lambda; }

    // x_0 as predicted at a point.
    at::Tensor original(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample) const;
    // From a point to the next one, exact for a constant x_0; this is a step of DDIM with eta 0.
    at::Tensor advance(const at::Tensor& sample, const at::Tensor& original, std::int64_t index) const;

  private:
    SnrPoint at_timestep(double t) const;
    SnrPoint at_lambda(double lambda) const;

    PredictionOptions prediction_;
    std::string timestep_spacing_ = "trailing";
    std::vector<double> log_alphas_;  // by training timestep, falling
    std::vector<SnrPoint> points_;
};

}  // namespace voldiff

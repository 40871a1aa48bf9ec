// What the samplers of rectified-flow models share: the timesteps, which belong to the model, and the straight line
// between data and noise, x_t = (1 - t) data + t noise. The network predicts data - noise.
// Source: Liu et al. 2022, arXiv:2209.03003; timestep transform: Esser et al. 2024, arXiv:2403.03206, as in
// monai/networks/schedulers/rectified_flow.py (timestep_transform, RFlowScheduler).
#pragma once

#include "core/schedulers/scheduler.h"

#include <vector>

namespace voldiff {

class FlowScheduler : public Scheduler {
  public:
    void visit_options(OptionVisitor& visitor) override;
    void prepare() override {}
    at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                         const at::Tensor& timesteps) const override;

  protected:
    double num_train_timesteps() const { return static_cast<double>(num_train_timesteps_); }
    bool use_discrete_timesteps() const { return use_discrete_timesteps_; }
    // num_train_timesteps ... above 0, transformed for the size of the latent; whole ones only before the transform,
    // as in the training. [steps], float64; computed in `transform_type`. Throws Error(config) for too many steps, and
    // where the transform has no size to go by.
    at::Tensor flow_timesteps(std::int64_t steps, std::int64_t latent_voxels, at::ScalarType transform_type) const;

  private:
    std::int64_t num_train_timesteps_ = 1000;
    bool use_discrete_timesteps_ = true;
    bool use_timestep_transform_ = false;
    std::int64_t base_img_size_numel_ = std::int64_t{32} * 32 * 32;
    std::int64_t spatial_dim_ = 3;
};

// For samplers without a counterpart in MONAI: timesteps are neither rounded to float16 nor truncated, the lengths of
// the steps are their differences and add up to one, so that the end is at time 0. MONAI's steps_offset, which moves
// the timesteps but not the end, is unknown here.
class ExactFlowScheduler : public FlowScheduler {
  public:
    void set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) override;
    void skip_steps(std::int64_t steps) override;

  protected:
    // From 1 to 0: where the intervals begin and, last, end. [steps + 1]
    const std::vector<double>& times() const { return times_; }
    double interval(std::size_t index) const { return times_[index] - times_[index + 1]; }

  private:
    std::vector<double> times_;
};

}  // namespace voldiff

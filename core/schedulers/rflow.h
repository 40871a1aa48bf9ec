// Rectified flow (Liu et al. 2022, arXiv:2209.03003) with the timestep transform of Esser et al. 2024.
// Source: monai/networks/schedulers/rectified_flow.py (RFlowScheduler). The reference's float16 timesteps and truncated
// next timesteps are reproduced: its models were sampled, and judged, that way.
#pragma once

#include "core/schedulers/flow_scheduler.h"

namespace voldiff {

class RFlowScheduler : public FlowScheduler {
  public:
    void visit_options(OptionVisitor& visitor) override;
    void set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) override;

    // NV-Generate passes the voxel count as a tensor, so the transform runs in float32; false: in float64, as with a
    // Python integer.
    bool transform_in_float32 = true;
    // false: every step has length 1 / num_inference_steps, as `step` without next_timestep.
    bool use_next_timestep = true;

  protected:
    SchedulerStep take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                            const NoiseSource& noise) override;

  private:
    double step_length(std::int64_t index) const;

    std::string sample_method_ = "uniform";
    double loc_ = 0;
    double scale_ = 1;
    double transform_scale_ = 1;
    std::int64_t steps_offset_ = 0;
    std::int64_t steps_ = 0;  // num_inference_steps
};

}  // namespace voldiff

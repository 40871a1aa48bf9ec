// The interface of all schedulers: how a sample moves from noise to data along a list of timesteps.
//
// `step` carries everything that any scheduler needs, so that nobody asks which one it has. Thread safety: none; one
// scheduler a run.
#pragma once

#include "core/option.h"
#include "core/schedulers/noise_schedule.h"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace voldiff {

// What a scheduler predicts in one step.
struct SchedulerStep {
    at::Tensor previous_sample;  // x at the next timestep, [N, C, D, H, W]
    at::Tensor pred_original;    // the noise-free sample as seen from here, same shape
};

// Draws standard normal noise of the shape and type of its argument.
using NoiseSource = std::function<at::Tensor(const at::Tensor& like)>;

class Scheduler : public OptionGroup {
  public:
    // Throws Error(config) for options that contradict each other; called once, after the options were read.
    virtual void prepare() = 0;

    // Fills `timesteps()`. `latent_voxels` is the number of voxels of the latent, D * H * W.
    // Throws Error(config) where the number of steps does not fit the training schedule.
    virtual void set_timesteps(std::int64_t num_inference_steps, std::int64_t latent_voxels) = 0;

    // Leaves the first `steps` of num_inference_steps out, for a start from a noisy image at what is then
    // timesteps()[0]; none is left where it is all of them. After set_timesteps, before the first step: `step` counts
    // what is left from 0, so a scheduler that remembers starts as it does from noise.
    virtual void skip_steps(std::int64_t steps);

    // One entry a network call, from noise to data: one for each step, or more where a scheduler says so. In the type
    // that the reference stores (float16 or int64), float64 where there is no reference.
    const at::Tensor& timesteps() const { return timesteps_; }

    // From timestep `index` to the next, called for 0, 1, ... in turn: a scheduler may remember. `model_output` is the
    // network's prediction at timesteps()[index] for `sample`
    // ([N, C, D, H, W]; a network that predicts the variance too gives 2 C channels).
    // Throws Error(internal) before set_timesteps and past the last timestep.
    SchedulerStep step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                       const NoiseSource& noise);

    // The noisy sample at `timesteps` ([N]) for `original` and `noise` ([N, C, D, H, W]).
    // Throws Error(config) for another number of axes.
    virtual at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                                 const at::Tensor& timesteps) const = 0;

    // What the model was trained with; null for flows, which have none.
    virtual const NoiseSchedule* noise_schedule() const { return nullptr; }

  protected:
    // `step` of an index that there is.
    virtual SchedulerStep take_step(const at::Tensor& model_output, std::int64_t index, const at::Tensor& sample,
                                    const NoiseSource& noise) = 0;

    // Throw Error(config) where `steps` is out of range; `limit` says whence the range.
    static void check_steps(std::int64_t steps, std::int64_t least, std::int64_t most, const std::string& limit);
    static void check_steps(std::int64_t steps, std::int64_t num_train_timesteps);

    at::Tensor timesteps_;
};

// One line a scheduler: the only place that lists them.
struct SchedulerEntry {
    std::string name;    // in YAML: `type: rflow`
    std::string target;  // MONAI's class, or ours where MONAI has none
    std::string help;
    std::function<std::unique_ptr<Scheduler>()> make;
};
const std::vector<SchedulerEntry>& scheduler_table();

// `name` is an entry's name or a `_target_` (the last part is enough). Throws Error(config), listing the names.
const SchedulerEntry& find_scheduler(const std::string& name);

}  // namespace voldiff

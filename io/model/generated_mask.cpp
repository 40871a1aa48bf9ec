#include "io/model/generated_mask.h"

#include "core/error.h"
#include "core/pipeline/mask_generation.h"
#include "io/anatomy/mask_database.h"
#include "io/anatomy/mask_post_process.h"
#include "io/anatomy/resample.h"
#include "io/anatomy/tables.h"
#include "io/config/anatomy_sizes.h"
#include "io/config/weight_path.h"
#include "io/system/system.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

namespace {

constexpr double generated_spacing = 1.5;  // mm

// The transposed convolutions work on whole tensors in every mode; this one keeps least beside them.
constexpr const char* leanest_of_masks = "min";

class GeneratedMaskSource : public MaskSource {
  public:
    explicit GeneratedMaskSource(const RunConfig& run)
        : run_(run),
          sizes_(anatomy_sizes(run.mask)),
          labels_of_classes_(read_label_pairs(data_directory() / "labels" / "label_dict_124_to_132.json")) {
        const auto table = resolve_mask_input(run, "size_conditions", run.mask.size_conditions);
        condition_ = anatomy_size_condition(sizes_, read_size_conditions(table));
    }

    ProvidedMask provide(const Model& model, std::int64_t seed, std::int64_t attempt,
                         const StageProgress& progress) const override {
        const auto scheduler = make_mask_scheduler(run_);
        const at::Tensor classes =
            generate_mask_classes(*model.mask_generation_autoencoder, *model.mask_generation_diffusion, *scheduler,
                                  request(model, seed_of_attempt(seed, attempt)), progress);
        if (progress) progress("mask clean-up", 0, 1);
        const at::Tensor labels = replace_labels(classes, labels_of_classes_);
        const double mm = generated_spacing;
        const Volume made{clean_generated_mask(labels, target_tumor(condition_)), diagonal_affine({mm, mm, mm})};
        Volume mask = fit_mask(made, run_.image.size, run_.image.spacing);
        mask.voxels = mask.voxels.contiguous();
        if (progress) progress("mask clean-up", 1, 1);
        check_contents(mask.voxels);
        LabelMask given(mask.voxels);
        return {std::move(mask), std::move(given), "mask_generation_diffusion"};
    }

  private:
    MaskRequest request(const Model& model, std::int64_t seed) const {
        MaskRequest request;
        request.latent_shape = run_.network.mask_generation_latent_shape;
        request.sizes = condition_;
        request.steps = run_.mask.steps;
        request.seed = static_cast<std::uint64_t>(seed);
        request.scale_factor = model.mask_generation_scale_factor;
        request.decode.method = run_.decode.method == "auto" ? "whole" : run_.decode.method;
        request.decode.roi = run_.decode.roi;
        request.decode.overlap = run_.decode.overlap;
        request.decode.mode = run_.decode.mode == "auto" ? leanest_of_masks : run_.decode.mode;
        return request;
    }

    // All anatomy that a size was given for, but what shall be absent.
    void check_contents(const at::Tensor& voxels) const {
        const LabelTable table = label_table();
        const LabelCounts counts = count_labels(voxels);
        std::string missing;
        for (const AnatomySize& size : sizes_) {
            if (size.size < 0 || counts.count(table.value(size.anatomy)) != 0) continue;
            missing += (missing.empty() ? "" : ", ") + size.anatomy;
        }
        if (missing.empty()) return;
        throw Error(ErrorCode::config, "the mask that was made has no " + missing +
                                           " at the run's size and spacing\nchange image.size and image.spacing, the "
                                           "sizes asked for, or the seed");
    }

    const RunConfig run_;
    std::vector<AnatomySize> sizes_;
    LabelPairs labels_of_classes_;
    SizeCondition condition_{};
};

}  // namespace

std::unique_ptr<MaskSource> make_generated_mask(const RunConfig& run) {
    return std::make_unique<GeneratedMaskSource>(run);
}

}  // namespace voldiff

// Whole inference runs from MAISI's configuration files and checkpoints.
#include "core/pipeline/from_mask.h"
#include "core/pipeline/image_only.h"
#include "core/pipeline/intensity.h"
#include "io/checkpoint/checkpoint.h"
#include "io/config/maisi_config.h"
#include "io/model/mask_input.h"
#include "io/model/model.h"
#include "tests/reference/checks.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/stack.h>

#include <fstream>

namespace voldiff::reference {

namespace {

// MAISI's files name each other relative to the working directory.
class WorkingDirectory {
  public:
    explicit WorkingDirectory(const std::filesystem::path& path) : before_(std::filesystem::current_path()) {
        std::filesystem::current_path(path);
    }
    ~WorkingDirectory() { std::filesystem::current_path(before_); }
    WorkingDirectory(const WorkingDirectory&) = delete;
    WorkingDirectory& operator=(const WorkingDirectory&) = delete;

  private:
    std::filesystem::path before_;
};

void compare_conditions(const StateDict& expected, const UnetConditions& conditions, Comparison& comparison) {
    const std::pair<const char*, at::Tensor> given[] = {
        {"input.spacing_tensor", conditions.spacing_tensor},
        {"input.top_region_index_tensor", conditions.top_region_index_tensor},
        {"input.bottom_region_index_tensor", conditions.bottom_region_index_tensor},
        {"input.modality_tensor", conditions.class_labels},
    };
    for (const auto& [name, tensor] : given) {
        if (tensor.defined()) comparison.equal(name, tensor, expected[name]);
    }
}

// One run of the files in the working directory.
class PipelineRun {
  public:
    PipelineRun(Comparison& comparison, std::uint64_t seed, const RunConfig& run)
        : comparison_(comparison),
          expected_(read_checkpoint("expected.safetensors").weights),
          run_(run),
          model_(load_model(run)),
          scheduler_(make_scheduler(run)),
          request_(image_request(run, model_)) {
        request_.seed = seed;
    }

    void image_only() {
        compare_conditions(expected_, image_only_conditions(run_.network.diffusion_unet, request_.conditions),
                           comparison_);
        const ImageResult result = generate_image(networks(), *scheduler_, request_, {}, observer());
        compare(result);
        comparison_.truncated("image_int16", to_int16(result.intensity), expected_["output.image_int16"]);
    }

    void from_mask() {
        const Volume mask = load_mask(run_).mask;
        for (std::size_t axis = 0; axis < 3; ++axis) request_.size[axis] = mask.voxels.size(axis);
        request_.conditions.spacing = spacing_of(mask.affine);
        comparison_.equal("mask", mask.voxels.to(at::kLong),
                          read_checkpoint("input_mask.safetensors").weights["labels"].to(at::kLong).squeeze());
        compare_conditions(expected_,
                           from_mask_conditions(run_.network.diffusion_unet, request_.conditions, mask.voxels),
                           comparison_);
        // What was drawn is stored; the reference then rounds it.
        const at::Tensor rounded = expected_["input.noise"].to(at::kHalf).to(at::kFloat);
        expected_["input.noise"] = rounded;
        const ImageResult result = generate_from_mask(networks(), *scheduler_, request_, mask.voxels, {}, observer());
        compare(result);
        comparison_.equal("image_float32", result.intensity.unsqueeze(0).unsqueeze(0),
                          expected_["output.image_float32"]);
    }

  private:
    ImageNetworks networks() const { return {*model_.autoencoder, *model_.diffusion_unet, model_.controlnet.get()}; }

    StepObserver observer() {
        return [this](std::size_t, std::size_t, const at::Tensor& output, const at::Tensor& latent) {
            outputs_.push_back(output);
            latents_.push_back(latent);
        };
    }

    void compare(const ImageResult& result) {
        comparison_.equal("noise", result.noise, expected_["input.noise"]);
        if (!at::equal(result.noise, expected_["input.noise"])) comparison_.fail("noise is not equal bit for bit");
        comparison_.equal("model_outputs", at::stack(outputs_), expected_["output.model_outputs"]);
        comparison_.equal("latents", at::stack(latents_), expected_["output.latents"]);
        if (expected_.contains("output.decoded")) {
            comparison_.equal("decoded", result.decoded, expected_["output.decoded"]);
        }
    }

    Comparison& comparison_;
    StateDict expected_;
    RunConfig run_;
    Model model_;
    std::unique_ptr<Scheduler> scheduler_;
    ImageRequest request_;
    std::vector<at::Tensor> outputs_;
    std::vector<at::Tensor> latents_;
};

}  // namespace

void check_pipeline(const Case& reference, Comparison& comparison) {
    const std::filesystem::path folder = reference.root / "pipelines" / reference.name;
    std::ifstream stream(folder / "case.json");
    const nlohmann::json body = nlohmann::json::parse(stream);
    const WorkingDirectory here(folder);
    MaisiFiles files{"config_network.json", "environment.json", "config_infer.json"};
    files.with_controlnet = body.at("path") == "from_mask";
    std::vector<Override> overrides;
    if (files.with_controlnet) overrides.push_back({"mask.file", "input_mask.nii.gz", "--mask"});
    PipelineRun run(comparison, body.at("random_seed"), load_maisi_config(files, overrides));
    files.with_controlnet ? run.from_mask() : run.image_only();
}

}  // namespace voldiff::reference

// Whole inference runs from MAISI's configuration files and checkpoints.
#include "core/pipeline/image_only.h"
#include "core/pipeline/intensity.h"
#include "io/checkpoint/checkpoint.h"
#include "io/config/maisi_config.h"
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

}  // namespace

void check_pipeline(const Case& reference, Comparison& comparison) {
    const std::filesystem::path folder = reference.root / "pipelines" / reference.name;
    std::ifstream stream(folder / "case.json");
    const nlohmann::json body = nlohmann::json::parse(stream);
    if (body.at("path") != "image_only") throw NotCovered{"path " + body.at("path").get<std::string>()};
    const WorkingDirectory here(folder);
    const StateDict expected = read_checkpoint("expected.safetensors").weights;

    const RunConfig run = load_maisi_config({"config_network.json", "environment.json", "config_infer.json"});
    Model model = load_model(run);
    const ImageOnlyRequest request = image_only_request(run, model);
    const auto scheduler = make_scheduler(run);
    compare_conditions(expected, image_only_conditions(run.network.diffusion_unet, request.conditions), comparison);
    std::vector<at::Tensor> outputs;
    std::vector<at::Tensor> latents;
    const ImageOnlyResult result =
        generate_image(*model.autoencoder, *model.diffusion_unet, *scheduler, request, {},
                       [&](std::size_t, std::size_t, const at::Tensor& output, const at::Tensor& latent) {
                           outputs.push_back(output);
                           latents.push_back(latent);
                       });
    comparison.equal("noise", result.noise, expected["input.noise"]);
    if (!at::equal(result.noise, expected["input.noise"])) comparison.fail("noise is not equal bit for bit");
    comparison.equal("model_outputs", at::stack(outputs), expected["output.model_outputs"]);
    comparison.equal("latents", at::stack(latents), expected["output.latents"]);
    comparison.equal("decoded", result.decoded, expected["output.decoded"]);
    comparison.truncated("image_int16", to_int16(result.intensity), expected["output.image_int16"]);
}

}  // namespace voldiff::reference

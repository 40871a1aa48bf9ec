#include "io/model/model.h"

#include "core/error.h"
#include "io/config/modality.h"
#include "io/config/scheduler_config.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

namespace {

std::array<double, 4> region(const std::vector<double>& weights, bool wanted) {
    std::array<double, 4> row{};
    if (weights.empty()) {
        if (!wanted) return row;
        throw Error(ErrorCode::config,
                    "the network takes a body region, but none is given; set image.body_region to "
                    "two of head, chest, abdomen, pelvis (top and bottom)");
    }
    std::copy_n(weights.begin(), 4, row.begin());
    return row;
}

}  // namespace

std::string resolve_device(const std::string& device) {
    if (device == "auto") return at::hasCUDA() ? "cuda" : "cpu";
    if (device == "cpu" || at::hasCUDA()) return device;
    throw Error(ErrorCode::usage, "'runtime.device' is '" + device +
                                      "', but this LibTorch has no CUDA; use cpu, or build with a LibTorch that has it "
                                      "(CMAKE_PREFIX_PATH)");
}

at::ScalarType compute_type(const RuntimeSection& runtime, const std::string& name) {
    if (name == "bfloat16") return at::kBFloat16;
    if (name != "float16") return at::kFloat;
    if (resolve_device(runtime.device) != "cpu") return at::kHalf;
    const std::string key = name == runtime.precision ? "precision" : "autocast";
    throw Error(ErrorCode::usage,
                "'runtime." + key + "' is float16, which needs a GPU; use float32 or bfloat16 on a CPU");
}

ImageRequest image_request(const RunConfig& run, const Model& model) {
    const DiffusionUnetConfig& unet = run.network.diffusion_unet;
    ImageRequest request;
    request.size = run.image.size;
    request.conditions.spacing = run.image.spacing;
    request.conditions.modality = modality_code(run.image.modality);
    request.conditions.top_region =
        region(run.image.top_region(), unet.include_top_region_index_input && !run.mask.given());
    request.conditions.bottom_region =
        region(run.image.bottom_region(), unet.include_bottom_region_index_input && !run.mask.given());
    request.steps = run.sampling.steps;
    request.guidance_scale = run.sampling.guidance_scale;
    request.seed = static_cast<std::uint64_t>(run.sampling.seed);
    request.scale_factor = model.scale_factor;
    request.decode = {run.decode.method, run.decode.roi, run.decode.overlap, run.decode.mode};
    return request;
}

std::unique_ptr<Scheduler> make_scheduler(const RunConfig& run) {
    Problems problems;
    auto scheduler = read_scheduler(raw_node(run.network.noise_scheduler), raw_node(run.sampling.scheduler), problems);
    problems.throw_if_any();
    return scheduler;
}

std::unique_ptr<Scheduler> make_mask_scheduler(const RunConfig& run) {
    Problems problems;
    auto scheduler = read_scheduler(raw_node(run.network.mask_generation_noise_scheduler), raw_node(run.mask.scheduler),
                                    problems, mask_scheduler_paths);
    problems.throw_if_any();
    return scheduler;
}

}  // namespace voldiff

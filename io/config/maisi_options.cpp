#include "io/config/maisi_options.h"

namespace voldiff::maisi {

const std::vector<std::pair<std::string, std::string>> origin_names = {
    {"model_filename", "weights.diffusion_unet"},
    {"trained_autoencoder_path", "weights.autoencoder"},
    {"output_dir", "output.directory"},
    {"output_prefix", "output.name"},
    {"trained_diffusion_path", "weights.diffusion_unet"},
    {"trained_controlnet_path", "weights.controlnet"},
    {"trained_mask_generation_autoencoder_path", "weights.mask_generation_autoencoder"},
    {"trained_mask_generation_diffusion_path", "weights.mask_generation_diffusion"},
    {"all_mask_files_base_dir", "mask.library"},
    {"all_mask_files_json", "mask.library_index"},
    {"all_anatomy_size_conditions_json", "mask.size_conditions"},
    {"output_size", "image.size"},
    {"spacing", "image.spacing"},
    {"body_region", "mask.body_region"},
    {"anatomy_list", "mask.anatomy_list"},
    {"controllable_anatomy_size", "mask.controllable_anatomy_size"},
    {"mask_generation_num_inference_steps", "mask.steps"},
    {"image_output_ext", "output.format"},
    {"num_output_samples", "sampling.count"},
    {"num_inference_steps", "sampling.steps"},
    {"modality", "image.modality"},
    {"cfg_guidance_scale", "sampling.guidance_scale"},
    {"autoencoder_sliding_window_infer_size", "decode.roi"},
    {"autoencoder_sliding_window_infer_overlap", "decode.overlap"},
    {"diffusion_unet_inference.dim", "image.size"},
    {"diffusion_unet_inference.spacing", "image.spacing"},
    {"diffusion_unet_inference.top_region_index", "image.top_region_index"},
    {"diffusion_unet_inference.bottom_region_index", "image.bottom_region_index"},
    {"diffusion_unet_inference.modality", "image.modality"},
    {"diffusion_unet_inference.random_seed", "sampling.seed"},
    {"diffusion_unet_inference.num_inference_steps", "sampling.steps"},
    {"diffusion_unet_inference.cfg_guidance_scale", "sampling.guidance_scale"},
};

void apply(const Environment& from, RunConfig& run) {
    run.weights.diffusion_unet = from.model_dir + "/" + from.model_filename;
    run.weights.autoencoder = from.trained_autoencoder_path;
    run.output.directory = from.output_dir;
}

void apply(const Inference& from, RunConfig& run) {
    run.image.size = from.dim;
    run.image.spacing = from.spacing;
    run.image.top_region_index = from.top_region_index;
    run.image.bottom_region_index = from.bottom_region_index;
    run.image.modality = std::to_string(from.modality);
    run.sampling.seed = from.random_seed;
    run.sampling.steps = from.num_inference_steps;
    run.sampling.guidance_scale = from.cfg_guidance_scale;
}

void apply(const ControlNetEnvironment& from, RunConfig& run) {
    run.weights.diffusion_unet = from.trained_diffusion_path;
    run.weights.autoencoder = from.trained_autoencoder_path;
    run.weights.controlnet = from.trained_controlnet_path.value_or("");
    run.output.directory = from.output_dir;
}

void apply(const FromMaskInference& from, RunConfig& run) {
    run.sampling.count = from.num_output_samples;
    run.sampling.steps = from.num_inference_steps;
    run.sampling.guidance_scale = from.cfg_guidance_scale;
    run.image.modality = std::to_string(from.modality);
    run.decode.roi = from.roi;
    run.decode.overlap = from.overlap;
}

void apply(const PairEnvironment& from, RunConfig& run) {
    apply(static_cast<const ControlNetEnvironment&>(from), run);
    run.weights.mask_generation_autoencoder = from.trained_mask_generation_autoencoder_path.value_or("");
    run.weights.mask_generation_diffusion = from.trained_mask_generation_diffusion_path.value_or("");
    run.mask.library = from.all_mask_files_base_dir.value_or("");
    run.mask.library_index = from.all_mask_files_json.value_or("");
    run.mask.size_conditions = from.all_anatomy_size_conditions_json.value_or("");
}

void apply(const PairInference& from, RunConfig& run) {
    apply(static_cast<const FromMaskInference&>(from), run);
    run.image.size = from.output_size;
    run.image.spacing = from.spacing;
    run.mask.steps = from.mask_generation_num_inference_steps;
    run.output.format = from.image_output_ext;
    run.mask.controllable_anatomy_size = from.controllable_anatomy_size;
    if (run.mask.from_sizes()) return;
    run.mask.body_region = from.body_region;
    run.mask.anatomy_list = from.anatomy_list;
}

}  // namespace voldiff::maisi

// The keys of MAISI's own files that a run needs, and what they mean in a run config. Internal to io/config.
// Source: NV-Generate-CTMR configs, scripts/diff_model_infer.py, scripts/infer_image_from_mask.py,
// scripts/inference.py.
#pragma once

#include "io/config/run_config.h"

#include <limits>
#include <optional>

namespace voldiff {

namespace maisi {

// Keys of the environment file.
struct Environment : OptionGroup {
    std::string model_dir;
    std::string model_filename;
    std::string trained_autoencoder_path;
    std::string output_dir;
    std::string output_prefix;

    void visit_options(OptionVisitor& v) override {
        v.visit(Option("model_dir", "folder of the diffusion U-Net's weights").needed(), model_dir);
        v.visit(Option("model_filename", "file of the diffusion U-Net's weights").needed(), model_filename);
        v.visit(Option("trained_autoencoder_path", "weights of the autoencoder").needed(), trained_autoencoder_path);
        v.visit(Option("output_dir", "folder of the results").needed(), output_dir);
        v.visit(Option("output_prefix", "start of the file names").needed(), output_prefix);
    }
};

// `diffusion_unet_inference` of the inference file, over the run's values.
struct Inference : OptionGroup {
    std::array<std::int64_t, 3> dim{};
    std::array<double, 3> spacing{};
    std::vector<double> top_region_index;
    std::vector<double> bottom_region_index;
    std::int64_t random_seed = 0;
    std::int64_t num_inference_steps = 0;
    std::int64_t modality = 0;
    double cfg_guidance_scale = 0;

    void visit_options(OptionVisitor& v) override {
        const double max_seed = static_cast<double>(std::numeric_limits<std::int64_t>::max());
        v.visit(Option("dim", "size of the volume").in(1, 65536).measured_in("voxels, x y z").needed(), dim);
        v.visit(Option("spacing", "size of a voxel").in(1e-3, 1000).measured_in("mm, x y z").needed(), spacing);
        v.visit(Option("top_region_index", "top region").in(0, 1).needed(), top_region_index);
        v.visit(Option("bottom_region_index", "bottom region").in(0, 1).needed(), bottom_region_index);
        v.visit(Option("random_seed", "seed of the noise").in(0, max_seed), random_seed);
        v.visit(Option("num_inference_steps", "denoising steps").in(1, 1000).needed(), num_inference_steps);
        v.visit(Option("modality", "code of the modality").in(0, 1e6).needed(), modality);
        v.visit(Option("cfg_guidance_scale", "classifier-free guidance, 0 is off").at_least(0).needed(),
                cfg_guidance_scale);
    }
};

// Keys of the environment file that goes with -i.
struct ControlNetEnvironment : OptionGroup {
    std::string output_dir;
    std::string trained_autoencoder_path;
    std::string trained_diffusion_path;
    std::optional<std::string> trained_controlnet_path;

    void visit_options(OptionVisitor& v) override {
        v.visit(Option("output_dir", "folder of the results").needed(), output_dir);
        v.visit(Option("trained_autoencoder_path", "weights of the autoencoder").needed(), trained_autoencoder_path);
        v.visit(Option("trained_diffusion_path", "weights of the diffusion U-Net").needed(), trained_diffusion_path);
        v.visit(Option("trained_controlnet_path", "weights of the ControlNet"), trained_controlnet_path);
    }
};

// More keys of that file, for pairs.
struct PairEnvironment : ControlNetEnvironment {
    std::optional<std::string> trained_mask_generation_autoencoder_path;
    std::optional<std::string> trained_mask_generation_diffusion_path;
    std::optional<std::string> all_mask_files_base_dir;
    std::optional<std::string> all_mask_files_json;
    std::optional<std::string> all_anatomy_size_conditions_json;

    void visit_options(OptionVisitor& v) override {
        ControlNetEnvironment::visit_options(v);
        v.visit(Option("trained_mask_generation_autoencoder_path", "weights of the autoencoder of masks"),
                trained_mask_generation_autoencoder_path);
        v.visit(Option("trained_mask_generation_diffusion_path", "weights of the diffusion U-Net of masks"),
                trained_mask_generation_diffusion_path);
        v.visit(Option("all_mask_files_base_dir", "folder of the masks"), all_mask_files_base_dir);
        v.visit(Option("all_mask_files_json", "list of the masks"), all_mask_files_json);
        v.visit(Option("all_anatomy_size_conditions_json", "list of sizes"), all_anatomy_size_conditions_json);
    }
};

// Keys of -i that an image from a given mask needs; the mask brings size and spacing.
struct FromMaskInference : OptionGroup {
    std::int64_t num_output_samples = 1;
    std::int64_t num_inference_steps = 0;
    std::int64_t modality = 0;
    double cfg_guidance_scale = 0;
    std::array<std::int64_t, 3> roi{};
    double overlap = 0;

    void visit_options(OptionVisitor& v) override {
        v.visit(Option("num_output_samples", "volumes to make").in(1, 1e6), num_output_samples);
        v.visit(Option("num_inference_steps", "denoising steps").in(1, 1000).needed(), num_inference_steps);
        v.visit(Option("modality", "code of the modality").in(0, 1e6).needed(), modality);
        v.visit(Option("cfg_guidance_scale", "classifier-free guidance, 0 is off").at_least(0).needed(),
                cfg_guidance_scale);
        v.visit(Option("autoencoder_sliding_window_infer_size", "window of the decoder").in(1, 65536).needed(), roi);
        v.visit(Option("autoencoder_sliding_window_infer_overlap", "its overlap").in(0, 0.99).needed(), overlap);
    }
};

// More keys of -i, for pairs.
struct PairInference : FromMaskInference {
    std::array<std::int64_t, 3> output_size{};
    std::array<double, 3> spacing{};
    std::vector<std::string> body_region;
    std::vector<std::string> anatomy_list;
    RawOptions controllable_anatomy_size;
    std::int64_t mask_generation_num_inference_steps = 1000;
    std::string image_output_ext = ".nii.gz";

    void visit_options(OptionVisitor& v) override {
        FromMaskInference::visit_options(v);
        v.visit(Option("output_size", "size of the volume").in(1, 65536).measured_in("voxels, x y z").needed(),
                output_size);
        v.visit(Option("spacing", "size of a voxel").in(1e-3, 1000).measured_in("mm, x y z").needed(), spacing);
        v.visit(Option("body_region", "regions that the mask shows").needed(), body_region);
        v.visit(Option("anatomy_list", "labels that the mask has").needed(), anatomy_list);
        v.visit(Option("controllable_anatomy_size", "sizes of organs, as [[\"liver\", 0.5]]").needed(),
                controllable_anatomy_size);
        v.visit(Option("mask_generation_num_inference_steps", "denoising steps of a mask").in(1, 1000),
                mask_generation_num_inference_steps);
        v.visit(Option("image_output_ext", "file extension of the volumes"), image_output_ext);
    }
};

class InferenceFile : public OptionGroup {
  public:
    void visit_options(OptionVisitor& v) override {
        v.visit(Option("diffusion_unet_inference", "the volume to make").needed(), inference);
    }
    Inference inference;
};

// The reference's key paths and the run's.
extern const std::vector<std::pair<std::string, std::string>> origin_names;

// Writes what a file says over the run's values.
void apply(const Environment& from, RunConfig& run);
void apply(const Inference& from, RunConfig& run);
void apply(const ControlNetEnvironment& from, RunConfig& run);
void apply(const FromMaskInference& from, RunConfig& run);
void apply(const PairEnvironment& from, RunConfig& run);
// Sizes, where there are any, count alone, as in the reference.
void apply(const PairInference& from, RunConfig& run);

}  // namespace maisi

}  // namespace voldiff

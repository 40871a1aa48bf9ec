// A run: everything that `voldiff generate` needs to know, from one YAML file and the command line.
//
//   const RunConfig run = load_run_config({"configs/rflow-ct.yaml", {{"sampling.steps", "50", "--steps"}}, models});
//
// Precedence: default < file that `extends` names < file < overrides.
#pragma once

#include "core/option.h"
#include "io/config/network_config.h"
#include "io/config/reader.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace voldiff {

// Paths as written, "" where not given; see io/config/weight_path.h.
struct WeightsSection : OptionGroup {
    std::string autoencoder;
    std::string diffusion_unet;
    std::string controlnet;
    std::string mask_generation_autoencoder;
    std::string mask_generation_diffusion;
    std::string layout = "auto";          // see core/state_dict/adapt.h
    double scale_factor = 0;              // 0: what stands beside the diffusion weights
    std::string projection = "as_saved";  // see core/state_dict/adapt.h
    void visit_options(OptionVisitor& visitor) override;
};

struct ImageSection : OptionGroup {
    std::array<std::int64_t, 3> size{256, 256, 128};  // voxels, x y z
    std::array<double, 3> spacing{1.7, 1.7, 2.0};     // mm, x y z
    std::string modality = "ct";                      // see `modality_code`
    std::vector<std::string> body_region;             // top and bottom; one name stands for both
    std::vector<double> top_region_index;             // MAISI's way to say it: 4 weights, or empty
    std::vector<double> bottom_region_index;
    void visit_options(OptionVisitor& visitor) override;

    // Weights of head, chest, abdomen and pelvis from either way; empty where neither is given. [4]
    std::vector<double> top_region() const;
    std::vector<double> bottom_region() const;
};

struct SamplingSection : OptionGroup {
    RawOptions scheduler;  // for `read_scheduler`
    std::int64_t steps = 30;
    double guidance_scale = 0;
    std::int64_t seed = 0;
    std::int64_t count = 1;
    void visit_options(OptionVisitor& visitor) override;
};

// The labels to start from: a file's, a library's, or made for sizes of organs; none for an image without a mask. Paths
// as written, see io/config/weight_path.h.
struct MaskSection : OptionGroup {
    std::string file;
    std::string labels;     // a YAML file whose `labels` map says what the file's values are in MAISI's vocabulary
    std::string body_from;  // a CT on the mask's voxels, from which the body (label 200) is found

    std::vector<std::string> body_region;   // all of these have to be in the library's mask
    std::vector<std::string> anatomy_list;  // and these; they are what the label file keeps
    std::string library;                    // folder
    std::string library_index;              // JSON
    bool augment = true;

    RawOptions controllable_anatomy_size;  // {liver: 0.5}, see io/config/anatomy_sizes.h
    std::string size_conditions;           // JSON
    std::int64_t steps = 1000;
    RawOptions scheduler;  // overrides of the model's mask_generation_noise_scheduler

    std::int64_t tries = 2;  // masks and images for one volume
    bool only = false;       // no image

    void visit_options(OptionVisitor& visitor) override;
    bool from_file() const { return !file.empty(); }
    bool from_library() const { return !body_region.empty() || !anatomy_list.empty(); }
    bool from_sizes() const;
    bool given() const { return from_file() || from_library() || from_sizes(); }
};

// What the model was trained for; what is empty or 0 is not checked. See io/config/trained.h.
struct TrainedSection : OptionGroup {
    std::vector<std::string> sizes;  // "256x256x128"
    std::vector<double> spacing_xy;  // mm, least and most
    std::vector<double> spacing_z;   // mm, least and most
    double field_of_view_xy = 0;     // mm, at least
    std::vector<std::string> modalities;
    void visit_options(OptionVisitor& visitor) override;
};

struct DecodeSection : OptionGroup {
    std::string method = "auto";
    std::array<std::int64_t, 3> roi{80, 80, 80};  // latent voxels, x y z
    double overlap = 0.4;
    std::string mode = "auto";  // see core/decode/decode_mode.h
    void visit_options(OptionVisitor& visitor) override;
};

// From image to latent: `voldiff encode`, and the volume of image_to_image.
struct EncodeSection : OptionGroup {
    std::string method = "auto";
    std::array<std::int64_t, 3> roi{80, 80, 40};  // latent voxels, x y z; MAISI's 320 x 320 x 160 voxels
    double overlap = 0.4;
    bool pad = false;
    bool sample = false;  // MAISI's script draws one; the mean is the same each time
    void visit_options(OptionVisitor& visitor) override;
};

// The volume to start from; empty for a start from noise. Path as written, see io/config/weight_path.h.
struct ImageToImageSection : OptionGroup {
    std::string file;
    double strength = 0.5;  // 0 is the volume as the autoencoder gives it back, 1 the run from noise
    void visit_options(OptionVisitor& visitor) override;
    bool given() const { return !file.empty(); }
};

struct OutputSection : OptionGroup {
    std::string directory = "output";
    std::string name = "{config}_seed{seed}_{index:03}";
    std::string format = ".nii.gz";
    bool preview = true;
    std::string dtype = "auto";
    void visit_options(OptionVisitor& visitor) override;
};

struct RuntimeSection : OptionGroup {
    std::string device = "auto";
    std::string precision = "float32";
    std::string autocast = "none";
    bool channels_last = false;
    std::int64_t threads = 0;
    std::int64_t memory_limit = 0;  // bytes
    bool exact_conv = false;        // see core/ops/conv_policy.h
    void visit_options(OptionVisitor& visitor) override;
};

struct RunConfig : OptionGroup {
    NetworkConfig network;
    WeightsSection weights;
    ImageSection image;
    SamplingSection sampling;
    MaskSection mask;
    TrainedSection trained;
    DecodeSection decode;
    EncodeSection encode;
    ImageToImageSection image_to_image;
    OutputSection output;
    RuntimeSection runtime;

    std::string name;                   // {config} in output.name: the file's name without extension
    Origins origins;                    // of every value that is no default, by key path
    std::filesystem::path models;       // --models
    bool in_working_directory = false;  // MAISI's files: relative weight paths start there and nowhere else

    void visit_options(OptionVisitor& visitor) override;
    void visit_sections(OptionVisitor& visitor);  // all but `network`
};

struct Override {
    std::string path;               // "sampling.steps"
    std::string value;              // read as YAML
    std::string origin;             // "--set", "--steps"
    bool literal = false;           // take `value` as text, as it is: for flags that hold a path or a name
    std::optional<Node> node = {};  // in the place of `value` and `origin`: what a file says, with its place
};

struct ConfigSource {
    std::filesystem::path file;  // a run config, or the sidecar of an earlier run
    std::vector<Override> overrides;
    std::filesystem::path models;  // of --models, may be empty
};

// Throws Error(config) with all mistakes of all files, one a line, and Error(io) where a file cannot be read.
RunConfig load_run_config(const ConfigSource& source);

}  // namespace voldiff

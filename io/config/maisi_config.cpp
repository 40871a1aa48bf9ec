#include "io/config/maisi_config.h"

#include "io/config/config_file.h"
#include "io/config/print.h"
#include "io/config/references.h"
#include "io/config/run_checks.h"
#include "io/config/scalar.h"

#include <algorithm>
#include <cstdio>
#include <limits>

namespace voldiff {

namespace {

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

class InferenceFile : public OptionGroup {
  public:
    void visit_options(OptionVisitor& v) override {
        v.visit(Option("diffusion_unet_inference", "the volume to make").needed(), inference);
    }
    Inference inference;
};

// The reference's names and the run's.
const std::vector<std::pair<std::string, std::string>> origin_names = {
    {"model_filename", "weights.diffusion_unet"},
    {"trained_autoencoder_path", "weights.autoencoder"},
    {"output_dir", "output.directory"},
    {"output_prefix", "output.name"},
    {"trained_diffusion_path", "weights.diffusion_unet"},
    {"trained_controlnet_path", "weights.controlnet"},
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

Node merge_files(const MaisiFiles& files) {
    Node merged = make_map();
    for (const auto& file : {files.environment, files.inference, files.network}) {
        for (NodeEntry& entry : load_config(file).entries) {
            merged.erase(entry.key);
            merged.entries.push_back(std::move(entry));
        }
    }
    return merged;
}

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

// "unet_3d_seed{seed}_size256x256x128_spacing1.70x1.70x2.00_modality1", with a number where there are several.
std::string output_name(const std::string& prefix, const RunConfig& run) {
    std::string size;
    std::string spacing;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        std::array<char, 64> text{};
        std::snprintf(text.data(), text.size(), "%.2f", run.image.spacing[axis]);
        size += (axis == 0 ? "" : "x") + std::to_string(run.image.size[axis]);
        spacing += (axis == 0 ? "" : "x") + std::string(text.data());
    }
    return prefix + "_seed{seed}_size" + size + "_spacing" + spacing + "_modality" + run.image.modality;
}

class Loader {
  public:
    Loader(const MaisiFiles& files, const std::vector<Override>& overrides)
        : files_(files), overrides_(overrides_to_map(overrides)), merged_(merge_files(files)) {}

    RunConfig load() {
        run_.name = files_.inference.stem().string();
        run_.in_working_directory = true;
        run_.decode.method = "sliding_window";
        files_.with_controlnet ? read_from_mask() : read_image_only();
        read_model();
        overrides_.erase("network");
        RunSections sections(run_);
        const ReadContext context{&problems_, &run_.origins, run_option_paths()};
        read_options(sections, overrides_, "", context);
        const Node* output = overrides_.find("output");
        if (output == nullptr || output->find("name") == nullptr) run_.output.name = name();
        if (files_.with_controlnet && !run_.mask.given()) {
            problems_.add(mark_of(files_.inference.string()),
                          "these files make an image from a mask, but none is given; name one by --mask FILE (masks "
                          "from a library, and generated ones, are not in this version)");
        }
        check_run(run_, {"noise_scheduler", "sampling.scheduler"}, mark_of(files_.inference.string()), problems_);
        problems_.throw_if_any();
        return std::move(run_);
    }

  private:
    // The top-level keys of `group`, references resolved. Missing ones are told with the file that should have them.
    void read(OptionGroup& group, const std::filesystem::path& file) {
        Node part = make_map(mark_of(file.string()));
        for (const std::string& key : top_level_keys(group)) {
            resolve_references(merged_, key, problems_);
            if (const Node* node = merged_.find(key)) part.entries.push_back({key, node->mark, *node});
        }
        Origins origins;
        read_options(group, part, "", {&problems_, &origins, {}});
        for (const auto& [theirs, ours] : origin_names) {
            if (origins.count(theirs) > 0) run_.origins[ours] = origins.at(theirs);
        }
    }

    static std::vector<std::string> top_level_keys(OptionGroup& group) {
        std::vector<std::string> keys;
        for (const NodeEntry& entry : to_node(group).entries) keys.push_back(entry.key);
        return keys;
    }

    // The mask's name, as the reference; the image-only way says what was asked for.
    std::string name() const {
        if (!files_.with_controlnet) return output_name(prefix_, run_);
        const std::string file = std::filesystem::path(run_.mask.file).filename().string();
        return file.substr(0, file.find('.')) + "_seed{seed}_image";
    }

    void read_image_only() {
        Environment environment;
        read(environment, files_.environment);
        apply(environment, run_);
        prefix_ = environment.output_prefix;
        InferenceFile file;
        read(file, files_.inference);
        apply(file.inference, run_);
    }

    void read_from_mask() {
        ControlNetEnvironment environment;
        read(environment, files_.environment);
        apply(environment, run_);
        FromMaskInference inference;
        read(inference, files_.inference);
        apply(inference, run_);
    }

    void read_model() {
        const Node* given = overrides_.find("network");
        if (given != nullptr) merged_ = merge(std::move(merged_), *given);
        std::vector<std::string> keys = top_level_keys(run_.network);
        for (const NodeEntry& entry : given == nullptr ? Node{}.entries : given->entries) {
            if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) keys.push_back(entry.key);
        }
        Node part = make_map(mark_of(files_.network.string()));
        std::set<std::string> named;
        for (const std::string& key : keys) {
            named.merge(resolve_references(merged_, key, problems_));
            if (const Node* node = merged_.find(key)) part.entries.push_back({key, node->mark, *node});
        }
        Origins origins;
        read_network(run_.network, part, "", {&problems_, &origins, {}}, named);
        for (const auto& [path, mark] : origins) run_.origins["network." + path] = mark;
    }

    const MaisiFiles& files_;
    Node overrides_;
    Node merged_;
    Problems problems_;
    RunConfig run_;
    std::string prefix_;
};

}  // namespace

RunConfig load_maisi_config(const MaisiFiles& files, const std::vector<Override>& overrides) {
    return Loader(files, overrides).load();
}

}  // namespace voldiff

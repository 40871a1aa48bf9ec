#include "io/config/run_config.h"

#include "core/decode/decode_mode.h"
#include "core/error.h"
#include "core/state_dict/adapt.h"
#include "io/config/config_file.h"
#include "io/config/references.h"
#include "io/config/run_checks.h"

#include <limits>

namespace voldiff {

namespace {

constexpr double max_int64 = static_cast<double>(std::numeric_limits<std::int64_t>::max());
const std::vector<std::string> region_names = {"head", "chest", "abdomen", "pelvis"};

std::vector<double> one_hot(const std::string& region) {
    std::vector<double> index;
    for (const std::string& name : region_names) index.push_back(name == region ? 1 : 0);
    return index;
}

// Takes the network map raw: it is read on its own, with its references resolved.
class FileRoot : public OptionGroup {
  public:
    explicit FileRoot(RunConfig& run) : run_(run) {}

    void visit_options(OptionVisitor& v) override {
        v.visit(Option("network", "the model: a file, or its map").needed(), network);
        run_.visit_sections(v);
    }

    RawOptions network;

  private:
    RunConfig& run_;
};

}  // namespace

void WeightsSection::visit_options(OptionVisitor& v) {
    v.visit(Option("autoencoder", "weights of the autoencoder"), autoencoder);
    v.visit(Option("diffusion_unet", "weights of the diffusion U-Net"), diffusion_unet);
    v.visit(Option("controlnet", "weights of the ControlNet"), controlnet);
    v.visit(Option("mask_generation_autoencoder", "weights of the autoencoder of masks"), mask_generation_autoencoder);
    v.visit(Option("mask_generation_diffusion", "weights of the diffusion U-Net of masks"), mask_generation_diffusion);
    std::vector<std::string> layouts = layout_names();
    layouts.insert(layouts.begin(), "auto");
    v.visit(Option("layout", "names that the weight files have; auto recognises them").one_of(layouts), layout);
    v.visit(Option("projection",
                   "attention projections that network and file use differently: refuse what changes the "
                   "function, put in ones that change nothing, apply ones that were never applied, or "
                   "drop applied ones")
                .one_of(projection_rule_names()),
            projection);
    v.visit(Option("scale_factor", "of the latents; 0 is what stands beside the weights of the diffusion U-Net")
                .at_least(0),
            scale_factor);
}

void ImageSection::visit_options(OptionVisitor& v) {
    v.visit(Option("size", "size of the volume").in(1, 65536).measured_in("voxels, x y z"), size);
    v.visit(Option("spacing", "size of a voxel").in(1e-3, 1000).measured_in("mm, x y z"), spacing);
    v.visit(Option("modality", "a name or code of labels/modality_mapping.json"), modality);
    v.visit(Option("body_region", "top and bottom region, where the network takes them").one_of(region_names),
            body_region);
    v.visit(Option("top_region_index", "top region as weights of head, chest, abdomen, pelvis").in(0, 1),
            top_region_index);
    v.visit(Option("bottom_region_index", "bottom region as such weights").in(0, 1), bottom_region_index);
}

std::vector<double> ImageSection::top_region() const {
    return body_region.empty() ? top_region_index : one_hot(body_region.front());
}

std::vector<double> ImageSection::bottom_region() const {
    return body_region.empty() ? bottom_region_index : one_hot(body_region.back());
}

void SamplingSection::visit_options(OptionVisitor& v) {
    v.visit(Option("scheduler", "overrides of the model's noise_scheduler, as {type: ddim}"), scheduler);
    v.visit(Option("steps", "denoising steps").in(1, 1000), steps);
    v.visit(Option("guidance_scale", "classifier-free guidance, 0 is off").at_least(0), guidance_scale);
    v.visit(Option("seed", "seed of the noise").in(0, max_int64), seed);
    v.visit(Option("count", "volumes to make; each has the seed after the one before").in(1, 1e6), count);
}

void MaskSection::visit_options(OptionVisitor& v) {
    v.visit(Option("file", "label volume to start from, of any format that ITK reads"), file);
    v.visit(Option("labels", "YAML file whose 'labels' map turns the volume's values into MAISI's"), labels);
    v.visit(Option("body_from", "CT on the mask's voxels; what is body and has no label becomes 200"), body_from);
    v.visit(Option("body_region", "take a mask of the library that shows these: head, chest, abdomen, pelvis"),
            body_region);
    v.visit(Option("anatomy_list", "take a mask of the library that has these labels; the label file keeps only them"),
            anatomy_list);
    v.visit(Option("library", "folder of the masks"), library);
    v.visit(Option("library_index", "JSON list of the library's masks, as MAISI's"), library_index);
    v.visit(Option("augment", "change a library's mask a little: its tumour is moved, or the body zoomed"), augment);
    v.visit(Option("controllable_anatomy_size",
                   "make a mask with organs and one tumour of these sizes, as {liver: 0.5}: 0 to 1, or -1 for none"),
            controllable_anatomy_size);
    v.visit(Option("size_conditions", "JSON list of sizes that occur together, as MAISI's"), size_conditions);
    v.visit(Option("steps", "denoising steps of such a mask").in(1, 1000), steps);
    v.visit(Option("scheduler", "overrides of the model's mask_generation_noise_scheduler, as {type: ddim}"),
            scheduler);
    v.visit(
        Option("tries", "masks and CT images to make for one volume until its organs have plausible values").in(1, 100),
        tries);
    v.visit(Option("only", "write the mask and make no image"), only);
}

bool MaskSection::from_sizes() const { return !raw_node(controllable_anatomy_size).entries.empty(); }

void TrainedSection::visit_options(OptionVisitor& v) {
    v.visit(Option("sizes", "sizes that the model was trained for, as 256x256x128"), sizes);
    v.visit(Option("spacing_xy", "least and most spacing in plane").in(0, 1000).measured_in("mm"), spacing_xy);
    v.visit(Option("spacing_z", "least and most spacing across").in(0, 1000).measured_in("mm"), spacing_z);
    v.visit(Option("field_of_view_xy", "least extent in plane").in(0, 1e5).measured_in("mm"), field_of_view_xy);
    v.visit(Option("modalities", "modalities that the model was trained for"), modalities);
}

void DecodeSection::visit_options(OptionVisitor& v) {
    v.visit(Option("method", "how the latent becomes an image").one_of({"auto", "whole", "sliding_window"}), method);
    v.visit(Option("roi", "window of sliding_window").in(1, 65536).measured_in("latent voxels, x y z"), roi);
    v.visit(Option("overlap", "part of a window that the next one covers too").in(0, 0.99), overlap);
    v.visit(Option("mode", "how much is kept in memory; the image is the same, auto is the fastest that fits")
                .one_of(decode_mode_names()),
            mode);
}

void EncodeSection::visit_options(OptionVisitor& v) {
    v.visit(Option("method", "how an image becomes a latent").one_of({"auto", "whole", "sliding_window"}), method);
    v.visit(Option("roi", "window of sliding_window").in(1, 65536).measured_in("latent voxels, x y z"), roi);
    v.visit(Option("overlap", "part of a window that the next one covers too").in(0, 0.99), overlap);
    v.visit(Option("pad", "zeros (air) around a volume whose size does not divide, taken away again afterwards"), pad);
    v.visit(Option("sample",
                   "encode: draw from the latent distribution with the seed, as MAISI's script does without "
                   "one, in place of its mean"),
            sample);
}

void ImageToImageSection::visit_options(OptionVisitor& v) {
    v.visit(Option("file", "volume to start from in place of noise; the result has its voxels"), file);
    v.visit(Option("strength", "share of the steps that are taken: 0 keeps the volume, 1 is all from noise").in(0, 1),
            strength);
}

void OutputSection::visit_options(OptionVisitor& v) {
    v.visit(Option("directory", "folder of the results, made where missing"), directory);
    v.visit(Option("name", "file name without extension; knows {config}, {seed} and {index:03}"), name);
    v.visit(Option("format", "file extension of the volume, any that ITK writes"), format);
    v.visit(Option("preview", "a PNG of three planes beside the volume"), preview);
    v.visit(Option("dtype", "type of the voxels; auto is the reference's").one_of({"auto", "int16", "float32"}), dtype);
}

void RuntimeSection::visit_options(OptionVisitor& v) {
    v.visit(Option("device", "auto, cpu, cuda or cuda:N"), device);
    v.visit(Option("precision", "type of the networks").one_of({"float32", "bfloat16", "float16"}), precision);
    v.visit(Option("autocast", "type of convolutions and products alone, on a GPU; the networks stay in `precision`")
                .one_of({"none", "bfloat16", "float16"}),
            autocast);
    v.visit(Option("channels_last", "weights of convolutions in the order that cuDNN prefers for half precision"),
            channels_last);
    v.visit(Option("threads", "0 is all cores").in(0, 4096), threads);
    v.visit(Option("memory_limit", "0 is what the machine has free").in(0, max_int64).measured_in("bytes"),
            memory_limit);
    v.visit(Option("exact_conv", "LibTorch's own kernels everywhere: slower, for comparisons with the reference"),
            exact_conv);
}

void RunConfig::visit_options(OptionVisitor& v) {
    v.visit(Option("network", "the model: a file, or its map").needed(), network);
    visit_sections(v);
}

void RunConfig::visit_sections(OptionVisitor& v) {
    v.visit(Option("weights", "files of the weights"), weights);
    v.visit(Option("image", "the volume to make"), image);
    v.visit(Option("sampling", "from noise to latent"), sampling);
    v.visit(Option("mask", "the labels to start from"), mask);
    v.visit(Option("trained", "what the model was trained for; --force goes beyond"), trained);
    v.visit(Option("decode", "from latent to image"), decode);
    v.visit(Option("encode", "from image to latent"), encode);
    v.visit(Option("image_to_image", "the volume to start from"), image_to_image);
    v.visit(Option("output", "files to write"), output);
    v.visit(Option("runtime", "the machine"), runtime);
}

RunConfig load_run_config(const ConfigSource& source) {
    RunConfig run;
    run.name = source.file.stem().string();
    run.models = source.models;
    Node root = load_run_file(source.file);
    const Mark file = root.mark;
    root = merge(std::move(root), overrides_to_map(source.overrides));
    root.mark = file;

    Problems problems;
    const ReadContext context{&problems, &run.origins, run_option_paths()};
    FileRoot group(run);
    read_options(group, root, "", context);
    if (group.network.tree.has_value()) {
        Node network = raw_node(group.network);
        const std::set<std::string> named = resolve_references(network, problems);
        read_network(run.network, network, "network", context, named);
    }
    check_run(run, {}, file, problems);
    problems.throw_if_any();
    return run;
}

}  // namespace voldiff

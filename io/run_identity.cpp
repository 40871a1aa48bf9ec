#include "io/run_identity.h"

#include "io/config/print.h"
#include "io/config/weight_path.h"

namespace voldiff {

namespace {

using Json = nlohmann::ordered_json;

// What `json` says differently from `defaults`.
Json without_defaults(const Json& json, const Json& defaults) {
    if (!json.is_object() || !defaults.is_object()) return json;
    Json rest = Json::object();
    for (const auto& [key, value] : json.items()) {
        const auto known = defaults.find(key);
        if (known == defaults.end())
            rest[key] = value;
        else if (value != *known)
            rest[key] = without_defaults(value, *known);
    }
    return rest;
}

// Leaves out what does not change a voxel, and what the content of files stands for.
void keep_what_counts(RunConfig& run) {
    const RunConfig defaults;
    const OutputSection output = run.output;
    const RuntimeSection runtime = run.runtime;
    run.output = defaults.output;
    run.output.dtype = output.dtype;
    run.output.format = output.format;
    run.runtime = defaults.runtime;
    run.runtime.precision = runtime.precision;
    run.runtime.autocast = runtime.autocast;
    run.runtime.channels_last = runtime.channels_last;
    run.runtime.exact_conv = runtime.exact_conv;
    run.trained = defaults.trained;
    run.sampling.seed = defaults.sampling.seed;
    run.sampling.count = defaults.sampling.count;
    WeightsSection& weights = run.weights;
    for (std::string* path :
         {&weights.autoencoder, &weights.diffusion_unet, &weights.controlnet, &weights.mask_generation_autoencoder,
          &weights.mask_generation_diffusion, &run.mask.file, &run.mask.labels, &run.mask.body_from, &run.mask.library,
          &run.mask.library_index, &run.mask.size_conditions, &run.image_to_image.file})
        path->clear();
}

}  // namespace

std::map<std::string, std::filesystem::path> run_inputs(const RunConfig& run) {
    std::map<std::string, std::filesystem::path> inputs;
    const auto weight = [&](const std::string& key) { inputs["weights." + key] = resolve_weight(run, key); };
    const auto mask = [&](const std::string& key, const std::string& path) {
        if (!path.empty()) inputs["mask." + key] = resolve_mask_input(run, key, path);
    };
    if (!run.mask.only) {
        weight("autoencoder");
        weight("diffusion_unet");
        if (run.mask.given()) weight("controlnet");
    }
    if (run.mask.from_sizes()) {
        weight("mask_generation_autoencoder");
        weight("mask_generation_diffusion");
        mask("size_conditions", run.mask.size_conditions);
    }
    if (run.image_to_image.given()) inputs["image_to_image.file"] = resolve_start_image(run);
    if (run.mask.from_library()) mask("library_index", run.mask.library_index);
    if (run.mask.from_file()) {
        mask("file", run.mask.file);
        mask("labels", run.mask.labels);
        mask("body_from", run.mask.body_from);
    }
    return inputs;
}

std::map<std::string, std::filesystem::path> run_weights(const RunConfig& run) {
    std::map<std::string, std::filesystem::path> weights;
    for (const auto& [key, path] : run_inputs(run))
        if (key.rfind("weights.", 0) == 0) weights[key] = std::filesystem::absolute(path);
    return weights;
}

RunIdentity::RunIdentity(const RunConfig& run, FileHashes& hashes) {
    Json contents = Json::object();
    for (const auto& [key, path] : run_inputs(run)) contents[key] = hashes.of(path);
    RunConfig counted = run;
    keep_what_counts(counted);
    RunConfig defaults;
    const Json options = without_defaults(to_json(to_node(counted)), to_json(to_node(defaults)));
    text_ = Json{{"options", options}, {"contents", contents}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string RunIdentity::of(std::int64_t seed) const { return sha256_of_bytes(text_ + std::to_string(seed)); }

}  // namespace voldiff

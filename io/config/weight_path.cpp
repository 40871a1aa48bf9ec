#include "io/config/weight_path.h"

#include "core/error.h"
#include "io/config/print.h"

#include <cstdlib>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> places_of(const RunConfig& run, const fs::path& path, const Mark& origin) {
    if (path.is_absolute()) return {path};
    std::vector<fs::path> places;
    const auto add_folder_of = [&places, &path](const char* variable) {
        const char* folder = std::getenv(variable);
        if (folder != nullptr && *folder != '\0') places.push_back(fs::path(folder) / path);
    };
    if (run.in_working_directory) {
        places.push_back(fs::current_path() / path);
        add_folder_of("MONAI_DATA_DIRECTORY");
        return places;
    }
    places.push_back(origin.in_file() ? fs::path(*origin.source).parent_path() / path : fs::current_path() / path);
    if (!run.models.empty()) places.push_back(run.models / path);
    add_folder_of("VOLDIFF_MODELS");
    return places;
}

bool is_file(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored);
}

bool is_folder(const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
}

}  // namespace

const InputKind input_file{"file", is_file};
const InputKind input_folder{"folder", is_folder};

fs::path resolve_input(const RunConfig& run, const std::string& key, const std::string& path, const std::string& advice,
                       const InputKind& kind) {
    const auto found = run.origins.find(key);
    const Mark origin = found == run.origins.end() ? Mark{} : found->second;
    std::string tried;
    for (const fs::path& place : places_of(run, path, origin)) {
        if (kind.is(place)) return place.lexically_normal();
        tried += (tried.empty() ? "'" : ", '") + place.lexically_normal().string() + "'";
    }
    throw Error(
        ErrorCode::io,
        origin.text() + ": '" + key + "': there is no " + kind.word + " " + tried + "\n" +
            (run.in_working_directory ? "relative paths in these files start in the working directory" : advice));
}

fs::path resolve_weight(const RunConfig& run, const std::string& key) {
    WeightsSection weights = run.weights;
    const Node map = to_node(weights);
    const Node* value = map.find(key);
    if (value == nullptr) throw Error(ErrorCode::internal, "there is no option 'weights." + key + "'");
    if (value->text.empty()) {
        throw Error(ErrorCode::config,
                    "'weights." + key + "' is missing: " + "the path of a checkpoint is needed here");
    }
    return resolve_input(run, "weights." + key, value->text,
                         "name the folder of the weights with --models or $VOLDIFF_MODELS");
}

fs::path resolve_mask_input(const RunConfig& run, const std::string& key, const std::string& path) {
    return resolve_input(run, "mask." + key, path,
                         "relative paths start beside the file that says them, then in --models and $VOLDIFF_MODELS",
                         key == "library" ? input_folder : input_file);
}

fs::path resolve_start_image(const RunConfig& run) {
    return resolve_input(run, "image_to_image.file", run.image_to_image.file,
                         "relative paths start beside the file that says them");
}

std::vector<std::string> missing_weights(const RunConfig& run) {
    const WeightsSection& weights = run.weights;
    const std::pair<const char*, const std::string&> files[] = {
        {"autoencoder", weights.autoencoder},
        {"diffusion_unet", weights.diffusion_unet},
        {"controlnet", weights.controlnet},
        {"mask_generation_autoencoder", weights.mask_generation_autoencoder},
        {"mask_generation_diffusion", weights.mask_generation_diffusion},
    };
    std::vector<std::string> missing;
    for (const auto& [key, file] : files) {
        if (file.empty()) continue;
        try {
            resolve_weight(run, key);
        } catch (const Error&) {
            missing.push_back(file);
        }
    }
    return missing;
}

void make_inputs_absolute(RunConfig& run) {
    // A config may name weights that its run does not need, and that nobody has: these stay as written.
    const auto resolve = [&run](const char* key, std::string& path) {
        if (path.empty()) return;
        try {
            path = fs::absolute(resolve_weight(run, key)).lexically_normal().string();
        } catch (const Error& error) {
            if (error.code() != ErrorCode::io) throw;
        }
    };
    resolve("autoencoder", run.weights.autoencoder);
    resolve("diffusion_unet", run.weights.diffusion_unet);
    resolve("controlnet", run.weights.controlnet);
    resolve("mask_generation_autoencoder", run.weights.mask_generation_autoencoder);
    resolve("mask_generation_diffusion", run.weights.mask_generation_diffusion);
    const auto resolve_mask = [&run](const char* key, std::string& path) {
        if (!path.empty()) path = fs::absolute(resolve_mask_input(run, key, path)).lexically_normal().string();
    };
    resolve_mask("file", run.mask.file);
    resolve_mask("labels", run.mask.labels);
    resolve_mask("body_from", run.mask.body_from);
    if (run.mask.from_library()) {
        resolve_mask("library", run.mask.library);
        resolve_mask("library_index", run.mask.library_index);
    }
    if (run.mask.from_sizes()) resolve_mask("size_conditions", run.mask.size_conditions);
    std::string& start = run.image_to_image.file;
    if (!start.empty()) start = fs::absolute(resolve_start_image(run)).lexically_normal().string();
}

}  // namespace voldiff

#include "io/sidecar.h"

#include "io/checkpoint/hash.h"
#include "io/config/print.h"
#include "io/config/weight_path.h"
#include "io/file.h"
#include "io/system/system.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <torch/version.h>

#include <ctime>

namespace voldiff {

namespace {

using Json = nlohmann::ordered_json;

std::string utc_time() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

// The config that makes this volume alone.
Json config_of(RunConfig run, const RunRecord& record, const std::filesystem::path& volume_path) {
    make_inputs_absolute(run);
    run.sampling.seed = record.seed;
    if (record.decode) {
        run.decode.method = record.decode->method;
        run.decode.roi = record.decode->roi;
        run.decode.overlap = record.decode->overlap;
        run.decode.mode = record.decode->mode;
    }
    run.sampling.count = 1;
    run.output.directory = volume_path.has_parent_path() ? volume_path.parent_path().string() : ".";
    run.output.format = extension(volume_path);
    const std::string name = volume_path.filename().string();
    run.output.name = name.substr(0, name.size() - run.output.format.size());
    return to_json(to_node(run));
}

Json weights_of(const Model& model, const RunRecord& record) {
    Json list = Json::array();
    for (const WeightFile& file : model.files) {
        const auto hash = record.weight_hashes.find(file.key);
        list.push_back({{"key", file.key},
                        {"file", file.path.filename().string()},
                        {"format", file.format},
                        {"sha256", hash == record.weight_hashes.end() ? "" : hash->second}});
    }
    return list;
}

Json notes_of(const Model& model) {
    Json notes = Json::array();
    for (const LoadNote& note : model.notes) notes.push_back(note.text);
    return notes;
}

Json stages_of(const RunRecord& record) {
    Json list = Json::array();
    for (const StageRecord& stage : record.stages) {
        list.push_back({{"name", stage.name}, {"seconds", stage.seconds}, {"peak_memory_bytes", stage.peak_memory}});
    }
    return list;
}

std::string dtype_name(at::ScalarType type) {
    if (type == at::kByte) return "uint8";
    return type == at::kShort ? "int16" : "float32";
}

Json image_of(const Volume& volume) {
    const at::Tensor values = volume.voxels.to(at::kDouble);
    return {{"size", volume.voxels.sizes().vec()},
            {"spacing_mm", spacing_of(volume.affine)},
            {"affine_ras", volume.affine},
            {"voxels_sha256", voxels_hash(volume)},
            {"dtype", dtype_name(volume.voxels.scalar_type())},
            {"minimum", values.min().item<double>()},
            {"maximum", values.max().item<double>()},
            {"mean", values.mean().item<double>()}};
}

Json machine_of(const RunRecord& record) {
    return {{"device", record.device},
            {"cpu", cpu_name()},
            {"threads", record.threads},
            {"libtorch", TORCH_VERSION},
            {"itk", itk_version()}};
}

// The config of what needs the autoencoder alone.
Json autoencoder_config_of(RunConfig run) {
    run.weights.diffusion_unet = run.weights.controlnet = "";
    run.weights.mask_generation_autoencoder = run.weights.mask_generation_diffusion = "";
    run.mask = {};
    run.image_to_image = {};
    make_inputs_absolute(run);
    return to_json(to_node(run));
}

Json files_of(const RunRecord& record) {
    Json list = Json::array();
    for (const auto& path : record.files) {
        list.push_back({{"file", path.filename().string()},
                        {"bytes", std::filesystem::file_size(path)},
                        {"sha256", sha256_of_file(path)}});
    }
    return list;
}

}  // namespace

std::string voxels_hash(const Volume& volume) {
    const at::Tensor voxels = volume.voxels.contiguous();
    return sha256_of_bytes({static_cast<const char*>(voxels.data_ptr()), voxels.nbytes()});
}

nlohmann::ordered_json sidecar(const RunConfig& run, const Model& model, const RunRecord& record, const Volume& volume,
                               const std::filesystem::path& volume_path) {
    Json json = {{"voldiff", record.version},
                 {"created", utc_time()},
                 {"volume", volume_path.filename().string()},
                 {"seed", record.seed},
                 {"generator", "torch CPU mt19937 (torch.manual_seed, torch.randn)"},
                 {"scale_factor", model.scale_factor},
                 {"config_hash", record.config_hash},
                 {"image", image_of(volume)},
                 {"files", files_of(record)},
                 {"weights", weights_of(model, record)},
                 {"attention", model.attention},
                 {"load_notes", notes_of(model)},
                 {"stages", stages_of(record)},
                 {"machine", machine_of(record)},
                 {"config", config_of(run, record, volume_path)}};
    if (!record.mask.is_null()) json["mask"] = record.mask;
    return json;
}

nlohmann::ordered_json latent_sidecar(const RunConfig& run, const Model& model, const RunRecord& record,
                                      const nlohmann::ordered_json& latent) {
    return {{"voldiff", record.version},
            {"created", utc_time()},
            {"latent", latent},
            {"weights", weights_of(model, record)},
            {"attention", model.attention},
            {"load_notes", notes_of(model)},
            {"stages", stages_of(record)},
            {"machine", machine_of(record)},
            {"config", autoencoder_config_of(run)}};
}

nlohmann::ordered_json decoded_sidecar(const RunConfig& run, const Model& model, const RunRecord& record,
                                       const Volume& volume, const std::filesystem::path& volume_path,
                                       const nlohmann::ordered_json& decoded_from) {
    nlohmann::ordered_json json = latent_sidecar(run, model, record, nullptr);
    json.erase("latent");
    json["volume"] = volume_path.filename().string();
    json["image"] = image_of(volume);
    json["decoded_from"] = decoded_from;
    return json;
}

std::filesystem::path sidecar_path(const std::filesystem::path& volume_path) {
    const std::string name = volume_path.filename().string();
    return volume_path.parent_path() / (name.substr(0, name.size() - extension(volume_path).size()) + ".json");
}

std::vector<StageRecord> read_stages(const std::filesystem::path& volume_path) {
    const std::filesystem::path path = sidecar_path(volume_path);
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return {};
    std::vector<StageRecord> stages;
    try {
        const Json record = Json::parse(read_text(path));
        if (record.at("volume") != volume_path.filename().string()) return {};
        for (const Json& stage : record.at("stages"))
            stages.push_back({stage.at("name"), stage.at("seconds"), stage.at("peak_memory_bytes")});
    } catch (const std::exception&) {
        return {};  // somebody else's JSON, or no JSON
    }
    return stages;
}

}  // namespace voldiff

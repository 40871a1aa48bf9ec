#include "io/latent/latent_file.h"

#include "core/error.h"
#include "io/checkpoint/checkpoint.h"
#include "io/file.h"
#include "io/sidecar.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <system_error>

namespace voldiff {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const std::string tensor_name = "latent";
const std::string metadata_key = "voldiff_latent";

bool in_safetensors(const fs::path& path) { return extension(path) == ".safetensors"; }

// Of the record beside a NIfTI file; none where there is no such record, as with latents from elsewhere.
std::optional<LatentRecord> record_beside(const fs::path& path) {
    const fs::path file = sidecar_path(path);
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) return std::nullopt;
    const Json json = Json::parse(read_text(file), nullptr, false);
    if (!json.is_object() || !json.contains("latent") || !json["latent"].is_object()) return std::nullopt;
    const Json& latent = json["latent"];
    if (!latent.contains("file") || latent["file"] != path.filename().string()) return std::nullopt;
    return parse_latent_record(latent, file.string());
}

Latent read_nifti_latent(const fs::path& path) {
    const Volume file = read_channels(path);
    return {file.voxels.permute({3, 0, 1, 2}).unsqueeze(0).contiguous(), file.affine, record_beside(path)};
}

Latent read_safetensors_latent(const fs::path& path) {
    const Checkpoint file = read_checkpoint(path);
    const auto text = file.metadata.find(metadata_key);
    const at::Tensor* values = file.weights.find(tensor_name);
    if (text == file.metadata.end() || values == nullptr || values->dim() != 4 || !values->is_floating_point())
        throw Error(ErrorCode::io, "'" + path.string() + "' holds no latent of voldiff: expected one tensor '" +
                                       tensor_name + "' [channels, x, y, z] and the metadata '" + metadata_key + "'");
    const LatentRecord record = parse_latent_record(Json::parse(text->second, nullptr, false), path.string());
    return {values->to(at::kFloat).unsqueeze(0).clone(), record.affine, record};
}

}  // namespace

void check_latent_format(const fs::path& path) {
    const std::string kind = extension(path);
    if (kind == ".nii.gz" || kind == ".nii" || in_safetensors(path)) return;
    throw Error(ErrorCode::config, "'" + path.string() +
                                       "' is not named as a latent: expected .nii.gz, .nii or "
                                       ".safetensors, found '" +
                                       kind + "'");
}

Latent read_latent(const fs::path& path) {
    check_latent_format(path);
    std::error_code ignored;
    if (!fs::exists(path, ignored))
        throw Error(ErrorCode::io, "cannot read '" + path.string() + "': there is no such file");
    return in_safetensors(path) ? read_safetensors_latent(path) : read_nifti_latent(path);
}

void write_latent(const fs::path& path, const Latent& latent) {
    const at::Tensor values = latent.values.squeeze(0).to(at::kFloat);
    if (!in_safetensors(path)) return write_volume(path, {values.permute({1, 2, 3, 0}).contiguous(), latent.affine});
    StateDict tensors;
    tensors.insert(tensor_name, values);
    write_safetensors(path, tensors, {{metadata_key, to_json(*latent.record).dump()}});
}

}  // namespace voldiff

#include "io/latent/encoder_input.h"

#include "core/encode/padding.h"
#include "core/error.h"
#include "io/config/modality.h"
#include "io/volume/orientation.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <sstream>

namespace voldiff {

namespace {

Extents size_of(const at::Tensor& voxels) { return {voxels.size(-3), voxels.size(-2), voxels.size(-1)}; }

std::string text_of(const Extents& size) {
    return std::to_string(size[0]) + " x " + std::to_string(size[1]) + " x " + std::to_string(size[2]);
}

std::string nearest_multiples(std::int64_t extent, std::int64_t multiple) {
    const std::int64_t smaller = extent / multiple * multiple;
    const std::string larger = std::to_string(smaller + multiple);
    return smaller == 0 ? "pad to " + larger : "crop to " + std::to_string(smaller) + " or pad to " + larger;
}

void check_divisible(const Volume& volume, std::int64_t multiple) {
    constexpr const char* runs[] = {"left-right", "posterior-anterior", "inferior-superior"};
    const Extents size = size_of(volume.voxels);
    const auto directions = axis_directions(volume.affine);
    std::ostringstream wrong;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        if (size[axis] % multiple == 0) continue;
        wrong << (wrong.tellp() > 0 ? "; " : "") << "xyz"[axis] << " (" << runs[directions[axis].world] << ") has "
              << size[axis] << ": " << nearest_multiples(size[axis], multiple);
    }
    if (wrong.tellp() == 0) return;
    std::ostringstream text;
    text << "the volume has " << text_of(size) << " voxels, expected multiples of " << multiple << "\n"
         << wrong.str() << "\nencode.pad (--pad) adds what is missing and takes it away again afterwards";
    throw Error(ErrorCode::config, text.str());
}

Extents times(const Extents& size, std::int64_t factor) {
    return {size[0] * factor, size[1] * factor, size[2] * factor};
}

// Voxels of the volume along right, anterior and superior.
Extents ras_size(const LatentRecord& record) {
    Extents size{};
    const auto directions = axis_directions(record.affine);
    for (std::size_t axis = 0; axis < 3; ++axis) size[directions[axis].world] = record.size[axis];
    return size;
}

LatentRecord assumed_record(const Latent& latent, const Extents& image, const std::string& modality) {
    const std::string orientation = orientation_code(latent.affine);
    if (orientation != "RAS")
        throw Error(ErrorCode::config,
                    "it has no record beside it and its axes run " + orientation + ", expected RAS as MAISI's latents");
    LatentRecord record;
    record.size = record.padded_size = image;
    record.affine = latent.affine;
    record.range = made_range(modality_code(modality));
    record.modality = modality;
    return record;
}

// Of the volume with `before` voxels more at the start of each axis.
Affine moved(Affine affine, const Extents& before) {
    for (std::size_t row = 0; row < 3; ++row)
        for (std::size_t axis = 0; axis < 3; ++axis)
            affine[row][3] -= affine[row][axis] * static_cast<double>(before[axis]);
    return affine;
}

}  // namespace

EncoderInput encoder_input(const Volume& volume, const std::string& modality, std::int64_t multiple, bool pad) {
    if (!pad) check_divisible(volume, multiple);
    const Volume ras = to_ras(volume);
    const Extents size = size_of(ras.voxels);
    EncoderInput input;
    input.record.size = size_of(volume.voxels);
    input.record.affine = volume.affine;
    input.record.padded_size = padded_size(size, multiple);
    input.record.modality = modality;
    input.record.range = range_of(ras.voxels, modality_code(modality));
    input.affine = moved(ras.affine, padding_before(size, input.record.padded_size));
    const at::Tensor scaled = from_intensity(ras.voxels, input.record.range);
    input.image = pad_to(scaled, input.record.padded_size).unsqueeze(0).unsqueeze(0);
    return input;
}

Volume on_own_voxels(const at::Tensor& intensity, const LatentRecord& record) {
    return {from_ras(crop_to(intensity, ras_size(record)), record.affine), record.affine};
}

LatentRecord record_for(const Latent& latent, const AutoencoderKlConfig& autoencoder, const std::string& modality) {
    if (latent.values.size(1) != autoencoder.latent_channels)
        throw Error(ErrorCode::config, "it has " + std::to_string(latent.values.size(1)) + " channels, expected " +
                                           std::to_string(autoencoder.latent_channels) +
                                           " as the autoencoder's latents have; is it a latent of another model, or "
                                           "an image?");
    const Extents image = times(size_of(latent.values), autoencoder.downsampling());
    if (!latent.record) return assumed_record(latent, image, modality);
    const Extents inner = ras_size(*latent.record);
    const bool inside = inner[0] <= image[0] && inner[1] <= image[1] && inner[2] <= image[2];
    if (latent.record->padded_size == image && inside) return *latent.record;
    throw Error(ErrorCode::config, "its record says that " + text_of(latent.record->padded_size) +
                                       " voxels were encoded, but the autoencoder makes " + text_of(image) +
                                       " of it; is it a latent of another model?");
}

}  // namespace voldiff

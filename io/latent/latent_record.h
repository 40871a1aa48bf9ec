// The record of a latent: JSON that anybody may have written.
#pragma once

#include "core/decode/sliding_window.h"
#include "core/pipeline/intensity.h"
#include "io/volume/volume.h"

#include <nlohmann/json.hpp>

#include <string>

namespace voldiff {

// What the way back from a latent to the volume's own voxels needs.
struct LatentRecord {
    Extents size{};         // voxels of the volume, along the axes of its file
    Affine affine{};        // of the volume
    Extents padded_size{};  // voxels that were encoded: in RAS, zeros around where more than the volume's
    IntensityRange range;
    std::string modality = "ct";
    double scale_factor = 1;  // the values are the autoencoder's times this
    std::string autoencoder;  // SHA-256 of the weights that encoded, "" where it is not known
};

// For the map `latent` of a record.
nlohmann::ordered_json to_json(const LatentRecord& record);

// What `to_json` made; `place` is the file that holds it. Throws Error(config) for anything else, and for numbers that
// no volume has.
LatentRecord parse_latent_record(const nlohmann::ordered_json& json, const std::string& place);

}  // namespace voldiff

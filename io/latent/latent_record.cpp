#include "io/latent/latent_record.h"

#include "core/error.h"

#include <cmath>

namespace voldiff {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t largest_extent = 65536;

// nlohmann would take the first three numbers of a longer list, and convert any number.
Extents extents_of(const Json& list, const char* name) {
    Extents extents{};
    bool fits = list.is_array() && list.size() == 3;
    for (std::size_t axis = 0; fits && axis < 3; ++axis) {
        fits = list[axis].is_number_integer() && list[axis] >= 1 && list[axis] <= largest_extent;
        if (fits) extents[axis] = list[axis];
    }
    if (fits) return extents;
    throw Error(ErrorCode::config, std::string("'") + name + "' is not three integers from 1 to 65536");
}

LatentRecord from_json(const Json& json) {
    LatentRecord record;
    record.size = extents_of(json.at("volume_size"), "volume_size");
    json.at("volume_affine_ras").get_to(record.affine);
    record.padded_size = extents_of(json.at("padded_size"), "padded_size");
    const Json& range = json.at("intensity_range");
    record.range = {range.at("lower"), range.at("upper"), range.at("is_most")};
    json.at("modality").get_to(record.modality);
    json.at("scale_factor").get_to(record.scale_factor);
    json.at("autoencoder_sha256").get_to(record.autoencoder);
    if (!std::isfinite(record.scale_factor) || !(record.scale_factor > 0))
        throw Error(ErrorCode::config, "'scale_factor' is not above 0");
    if (!(record.range.lower < record.range.upper)) throw Error(ErrorCode::config, "'intensity_range' is empty");
    return record;
}

}  // namespace

nlohmann::ordered_json to_json(const LatentRecord& record) {
    return {{"volume_size", record.size},
            {"volume_affine_ras", record.affine},
            {"padded_size", record.padded_size},
            {"intensity_range",
             {{"lower", record.range.lower}, {"upper", record.range.upper}, {"is_most", record.range.is_most}}},
            {"modality", record.modality},
            {"scale_factor", record.scale_factor},
            {"autoencoder_sha256", record.autoencoder}};
}

LatentRecord parse_latent_record(const nlohmann::ordered_json& json, const std::string& place) {
    try {
        return from_json(json);
    } catch (const std::exception& error) {
        throw Error(ErrorCode::config, place + ": the record of the latent is not whole: " + error.what());
    }
}

}  // namespace voldiff

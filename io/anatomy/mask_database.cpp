#include "io/anatomy/mask_database.h"

#include "core/error.h"
#include "io/file.h"

#include <nlohmann/json.hpp>

#include <cmath>

namespace voldiff {

namespace {

using Json = nlohmann::json;

Json parse_list(const std::filesystem::path& file) {
    Json list = Json::parse(read_text(file), nullptr, false);
    if (!list.is_array() || list.empty())
        throw Error(ErrorCode::config, "'" + file.string() + "' is not a JSON list with entries");
    return list;
}

// nlohmann names the key and the types in its own words; what is missing here is the place.
template <class Value, class Convert>
std::vector<Value> convert_all(const std::filesystem::path& file, Convert convert) {
    std::vector<Value> values;
    for (const Json& entry : parse_list(file)) {
        try {
            values.push_back(convert(entry));
        } catch (const std::exception& error) {
            throw Error(ErrorCode::config, "'" + file.string() + "', entry " + std::to_string(values.size()) +
                                               " (from 0): " + error.what());
        }
    }
    return values;
}

// Json alone would take the first numbers of a longer list.
template <class Array>
Array numbers_of(const Json& list) {
    if (list.size() == Array().size()) return list.get<Array>();
    throw Error(ErrorCode::config, "a list of " + std::to_string(list.size()) + ", expected " +
                                       std::to_string(Array().size()) + " numbers");
}

LibraryMask library_mask(const Json& entry) {
    LibraryMask mask;
    mask.file = entry.at("pseudo_label_filename");
    mask.labels = entry.at("label_list").get<std::vector<std::int64_t>>();
    mask.grid.size = numbers_of<std::array<std::int64_t, 3>>(entry.at("dim"));
    mask.grid.spacing = numbers_of<std::array<double, 3>>(entry.at("spacing"));
    for (std::int64_t& extent : mask.grid.size) extent = std::abs(extent);  // the reference takes them so
    for (double& spacing : mask.grid.spacing) spacing = std::abs(spacing);
    if (entry.contains("top_region_index"))
        mask.regions = BodyRegions{numbers_of<RegionIndex>(entry.at("top_region_index")),
                                   numbers_of<RegionIndex>(entry.at("bottom_region_index"))};
    return mask;
}

}  // namespace

std::vector<LibraryMask> read_mask_library(const std::filesystem::path& file) {
    return convert_all<LibraryMask>(file, library_mask);
}

std::vector<SizeCondition> read_size_conditions(const std::filesystem::path& file) {
    return convert_all<SizeCondition>(
        file, [](const Json& entry) { return numbers_of<SizeCondition>(entry.at("organ_size")); });
}

}  // namespace voldiff

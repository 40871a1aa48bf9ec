#include "app/batch/made.h"

#include "io/checkpoint/hash.h"
#include "io/file.h"

#include <nlohmann/json.hpp>

namespace voldiff {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::size_t largest_record = std::size_t{16} << 20;

std::string damage_of(const fs::path& path, const Json& recorded, bool verify) {
    const std::string name = path.filename().string();
    for (const Json& entry : recorded) {
        if (entry.at("file") != name) continue;
        std::error_code missing;
        const auto bytes = fs::file_size(path, missing);
        if (missing) return "damaged: " + name + " is missing";
        if (bytes != entry.at("bytes").get<std::uintmax_t>())
            return "damaged: " + name + " has " + std::to_string(bytes) + " bytes, expected " +
                   entry.at("bytes").dump();
        if (verify && sha256_of_file(path) != entry.at("sha256").get<std::string>())
            return "damaged: the content of " + name + " is not what was written";
        return "";
    }
    return "damaged: the record does not name " + name;
}

}  // namespace

std::string why_not_made(const Job& job, bool verify) {
    std::error_code ignored;
    if (!fs::exists(job.files.sidecar, ignored)) return "not made";
    try {
        const Json record = Json::parse(read_text(job.files.sidecar, largest_record));
        if (record.at("config_hash") != job.id) return "made from other options or weights";
        for (const fs::path& path : files_of(job.files)) {
            if (path == job.files.sidecar) continue;
            const std::string damage = damage_of(path, record.at("files"), verify);
            if (!damage.empty()) return damage;
        }
        return "";
    } catch (const std::exception&) {
        return "damaged: " + job.files.sidecar.filename().string() + " is no record of a run";
    }
}

}  // namespace voldiff

#include "app/output_name.h"

#include "core/error.h"
#include "io/config/scalar.h"
#include "io/file.h"
#include "io/volume/volume.h"

#include <algorithm>
#include <set>

namespace voldiff {

namespace {

constexpr std::size_t widest = 20;
constexpr std::size_t longest_name = 200;  // bytes; file systems take 255, with the endings of volumes and claims

[[noreturn]] void refuse(const std::string& pattern, const std::string& what) {
    throw Error(ErrorCode::config, "'output.name' is " + show_text(pattern) + ", " + what +
                                       "; expected text with {config}, {seed} and {index:03}");
}

std::string padded(std::int64_t number, const std::string& width, const std::string& pattern) {
    std::string digits = std::to_string(number);
    if (width.empty()) return digits;
    if (width.size() > 3 || width.find_first_not_of("0123456789") != std::string::npos || std::stoul(width) > widest) {
        refuse(pattern, "whose width '" + width + "' is none");
    }
    const std::size_t wanted = std::stoul(width);
    return digits.size() < wanted ? std::string(wanted - digits.size(), '0') + digits : digits;
}

// An image and the labels that it was made for, where these are not the user's own.
bool makes_pairs(const RunConfig& run) { return !run.mask.only && (run.mask.from_library() || run.mask.from_sizes()); }

// "x_image" -> "x_label", as MAISI's pairs; "x" -> "x_label"
std::string label_name(std::string name) {
    const std::string image = "_image";
    if (name.size() > image.size() && name.compare(name.size() - image.size(), image.size(), image) == 0) {
        name.erase(name.size() - image.size());
    }
    return name + "_label";
}

bool is_control(unsigned char c) { return c < ' ' || c == 127; }

void check_inside(const std::string& name, const std::string& pattern) {
    const std::filesystem::path path(name);
    if (path.empty() || path.is_absolute()) refuse(pattern, "which is no name inside the output directory");
    if (std::any_of(name.begin(), name.end(), is_control)) refuse(pattern, "which has control characters");
    for (const auto& part : path) {
        if (part == "..") refuse(pattern, "which leaves the output directory");
        if (part.native().size() > longest_name)
            refuse(pattern, "which makes a name of " + std::to_string(part.native().size()) + " bytes, more than " +
                                std::to_string(longest_name));
    }
}

}  // namespace

std::string expand_name(const std::string& pattern, const std::string& config, std::int64_t seed, std::int64_t index) {
    std::string name;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        if (pattern[at] != '{') {
            name += pattern[at];
            continue;
        }
        const std::size_t end = pattern.find('}', at);
        if (end == std::string::npos) refuse(pattern, "where a '{' has no '}'");
        const std::string field = pattern.substr(at + 1, end - at - 1);
        const std::size_t colon = field.find(':');
        const std::string key = field.substr(0, colon);
        const std::string width = colon == std::string::npos ? "" : field.substr(colon + 1);
        if (key == "seed") {
            name += padded(seed, width, pattern);
        } else if (key == "index") {
            name += padded(index, width, pattern);
        } else if (field == "config") {
            name += config;
        } else {
            refuse(pattern, "which has the unknown placeholder {" + field + "}");
        }
        at = end;
    }
    check_inside(name, pattern);
    return name;
}

std::vector<std::int64_t> configured_seeds(const RunConfig& run) {
    std::vector<std::int64_t> seeds;
    for (std::int64_t index = 0; index < run.sampling.count; ++index) seeds.push_back(run.sampling.seed + index);
    return seeds;
}

std::vector<OutputFiles> plan_outputs(const RunConfig& run, bool overwrite) {
    return plan_outputs(run, configured_seeds(run), overwrite);
}

std::vector<OutputFiles> plan_outputs(const RunConfig& run, const std::vector<std::int64_t>& seeds, bool overwrite) {
    std::vector<OutputFiles> plan;
    std::set<std::filesystem::path> taken;
    const std::filesystem::path directory = run.output.directory.empty() ? "." : run.output.directory;
    for (const std::int64_t seed : seeds) {
        OutputFiles files;
        files.index = static_cast<std::int64_t>(plan.size());
        files.seed = seed;
        const std::string name = expand_name(run.output.name, run.name, seed, files.index);
        files.volume = directory / (name + run.output.format);
        files.sidecar = directory / (name + ".json");
        if (run.output.preview) files.preview = directory / (name + ".png");
        if (makes_pairs(run)) files.label = directory / (label_name(name) + run.output.format);
        check_volume_format(files.volume);
        if (!taken.insert(files.volume).second) refuse(run.output.name, "which gives several volumes the same name");
        for (const auto& path : {files.volume, files.sidecar, files.preview, files.label}) {
            if (!overwrite && !path.empty()) check_absent(path, "output.name");
        }
        plan.push_back(files);
    }
    return plan;
}

void check_absent(const std::filesystem::path& path, const std::string& another) {
    if (!std::filesystem::exists(path)) return;
    throw Error(ErrorCode::io,
                path.string() + " exists already; choose another " + another + ", or use --force to replace it");
}

void prepare_folder(const std::filesystem::path& file) {
    std::error_code problem;
    const std::filesystem::path folder = file.parent_path();
    std::filesystem::create_directories(folder, problem);
    if (problem) {
        throw Error(ErrorCode::io, "cannot make the output directory " + folder.string() + ": " + problem.message());
    }
    const AtomicFile probe(file);  // removed at once
}

}  // namespace voldiff

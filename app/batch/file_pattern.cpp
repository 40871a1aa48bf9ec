#include "app/batch/file_pattern.h"

#include "core/error.h"

#include <fnmatch.h>

#include <algorithm>

namespace voldiff {

namespace {

constexpr std::size_t most_entries = 100000;

}  // namespace

bool has_wildcard(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

std::vector<std::filesystem::path> matching_files(const std::filesystem::path& pattern) {
    const std::filesystem::path folder = pattern.has_parent_path() ? pattern.parent_path() : ".";
    if (has_wildcard(folder.string())) {
        throw Error(ErrorCode::config, "'" + pattern.string() +
                                           "' has a wildcard in the name of a folder, expected one in the file name "
                                           "only, as masks/*.nii.gz");
    }
    std::error_code problem;
    std::vector<std::filesystem::path> files;
    std::size_t seen = 0;
    std::filesystem::directory_iterator entry(folder, problem);
    for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
        if (++seen > most_entries)
            throw Error(ErrorCode::io,
                        "'" + folder.string() + "' has more than " + std::to_string(most_entries) + " entries");
        const std::filesystem::path& path = entry->path();
        std::error_code ignored;
        const bool fits = ::fnmatch(pattern.filename().c_str(), path.filename().c_str(), FNM_PERIOD) == 0;
        if (fits && std::filesystem::is_regular_file(path, ignored)) files.push_back(folder / path.filename());
    }
    if (problem) throw Error(ErrorCode::io, "cannot read the folder '" + folder.string() + "': " + problem.message());
    if (files.empty()) throw Error(ErrorCode::io, "no file fits '" + pattern.string() + "'");
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace voldiff

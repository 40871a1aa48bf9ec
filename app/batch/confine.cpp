#include "app/batch/confine.h"

#include "core/error.h"

#include <algorithm>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

// Of normal, absolute paths.
bool starts_with(const fs::path& path, const fs::path& root) {
    auto end = root.end();
    if (root.has_relative_path() && root.filename().empty()) --end;  // "a/" has an empty last part
    return std::mismatch(root.begin(), end, path.begin(), path.end()).first == end;
}

fs::path real_path(const fs::path& path) {
    std::error_code ignored;
    const fs::path real = fs::weakly_canonical(fs::absolute(path), ignored);
    return ignored ? fs::path() : real;
}

}  // namespace

fs::path folder_inside(const fs::path& root, const std::string& directory) {
    const fs::path base = root.empty() ? "." : root;
    if (std::any_of(directory.begin(), directory.end(), [](unsigned char c) { return c < ' ' || c == 127; }))
        throw Error(ErrorCode::config, "'output.directory' has control characters; expected the name of a folder");
    const fs::path folder = (base / (directory.empty() ? "." : directory)).lexically_normal();
    const bool by_name = starts_with(fs::absolute(folder).lexically_normal(), fs::absolute(base).lexically_normal());
    if (by_name && starts_with(real_path(folder), real_path(base))) return folder;
    throw Error(ErrorCode::config, "'output.directory' is '" + directory + "', which is outside '" + base.string() +
                                       (by_name ? "' by a symbolic link" : "'") +
                                       "; a batch writes inside one folder: --output names another one");
}

void check_files_inside(const fs::path& root, const std::vector<fs::path>& files) {
    const fs::path base = real_path(root.empty() ? "." : root);
    for (const fs::path& file : files) {
        if (file.empty()) continue;
        std::error_code ignored;
        if (fs::is_symlink(fs::symlink_status(file, ignored)))
            throw Error(ErrorCode::io, "'" + file.string() +
                                           "' is a symbolic link, which a batch does not follow; "
                                           "remove it");
        if (!starts_with(real_path(file.has_parent_path() ? file.parent_path() : "."), base))
            throw Error(ErrorCode::io,
                        "the folder of '" + file.string() + "' is outside '" + root.string() + "' by a symbolic link");
    }
}

}  // namespace voldiff

// Files that appear under their name only when they are whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace voldiff {

// A temporary file beside the target, `.NAME.partial-PID.EXTENSION`, for any writer that takes a path:
//
//   const AtomicFile file(path);
//   write_image(file.temporary());
//   file.commit();
//
// The constructor creates it empty, so a folder that is missing or cannot be written shows before the work; the
// destructor removes it, unless `commit` gave it the target's name. A target that is a link stays one.
// Throws Error(io), with the system's reason, also where the target exists and is no plain file.
class AtomicFile {
  public:
    explicit AtomicFile(const std::filesystem::path& target);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    const std::filesystem::path& temporary() const { return temporary_; }
    // Waits until the bytes are on the disk, then renames over the target.
    void commit();

  private:
    std::filesystem::path target_;
    std::filesystem::path temporary_;
};

// The file name from its last dot; `.nii.gz` is one extension. In lower case.
std::string extension(const std::filesystem::path& path);

void write_text(const std::filesystem::path& path, const std::string& text);

// The whole file. Throws Error(io) where it cannot be read or is larger than `most` bytes.
std::string read_text(const std::filesystem::path& path, std::size_t most = std::size_t{64} << 20);

}  // namespace voldiff

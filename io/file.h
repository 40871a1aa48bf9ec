// Files that appear under their name only when they are whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace voldiff {

// A temporary file beside the target, `.NAME.partial-HOST.PID.EXTENSION`, for any writer that takes a path:
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

// Temporary files as above whose process was killed. The first: those in a folder that were made on this machine by
// processes that are no more. The second: those of one target, for a caller who knows that nobody else writes it. Both
// return how many files they removed, and touch nothing that has not exactly the names above.
std::size_t remove_abandoned_files(const std::filesystem::path& folder);
std::size_t remove_partial_files(const std::filesystem::path& target);

// Of this machine, for names of files: letters, digits and '-'.
std::string host_name();

// The file name from its last dot; `.nii.gz` is one extension. In lower case.
std::string extension(const std::filesystem::path& path);

// Removes a file that may be there, and waits until that is on the disk. Throws Error(io).
void remove_file(const std::filesystem::path& path);

void write_text(const std::filesystem::path& path, const std::string& text);

// The whole file. Throws Error(io) where it cannot be read, is no plain file (a pipe, a device) or is larger than
// `most` bytes.
std::string read_text(const std::filesystem::path& path, std::size_t most = std::size_t{64} << 20);

}  // namespace voldiff

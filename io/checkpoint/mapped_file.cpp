#include "io/checkpoint/mapped_file.h"

#include "core/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace voldiff {
namespace {

class FileDescriptor {
  public:
    // Non-blocking, so that a named pipe is refused below instead of waited for.
    explicit FileDescriptor(const std::filesystem::path& path)
        : value_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    ~FileDescriptor() {
        if (value_ >= 0) {
            ::close(value_);
        }
    }
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    FileDescriptor(FileDescriptor&&) = delete;
    FileDescriptor& operator=(FileDescriptor&&) = delete;

    int value() const { return value_; }

  private:
    int value_;
};

[[noreturn]] void fail(const std::string& what) {
    throw Error(ErrorCode::io, what + ": " + std::generic_category().message(errno));
}

}  // namespace

Blob map_file(const std::filesystem::path& path) {
    const FileDescriptor file(path);
    struct stat status = {};
    if (file.value() < 0 || ::fstat(file.value(), &status) != 0) {
        fail("cannot be opened");
    }
    if (!S_ISREG(status.st_mode)) {
        throw Error(ErrorCode::io,
                    S_ISDIR(status.st_mode) ? "is a directory, expected a file" : "is not a regular file");
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) {
        return {};
    }
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value(), 0);
    if (data == MAP_FAILED) {
        fail("cannot be mapped into memory");
    }
    const std::shared_ptr<const void> owner(data,
                                            [size](const void* start) { ::munmap(const_cast<void*>(start), size); });
    return {owner, {static_cast<const char*>(data), size}, true};
}

}  // namespace voldiff

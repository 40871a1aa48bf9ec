#include "io/file.h"

#include "core/error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <optional>
#include <regex>
#include <system_error>

namespace voldiff {

namespace {

const std::string partial_mark = ".partial-";
constexpr std::size_t longest_stem = 180;  // a name holds 255 bytes

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path, int reason) {
    throw Error(ErrorCode::io,
                "cannot " + what + " '" + path.string() + "': " + std::strerror(reason == 0 ? EIO : reason));
}

class Descriptor {
  public:
    Descriptor(const std::filesystem::path& path, int flags) : value_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return value_; }

  private:
    int value_;
};

std::filesystem::path follow_links(const std::filesystem::path& path) {
    std::error_code ignored;
    const std::filesystem::path whole = std::filesystem::weakly_canonical(path, ignored);
    return ignored || whole.empty() ? path : whole;
}

// The names in it; some file systems cannot, which is no error.
void sync_folder(const std::filesystem::path& path) {
    const Descriptor folder(path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
    if (folder.get() >= 0) ::fsync(folder.get());
}

// The real extension stays last, since writers choose the format by it.
std::filesystem::path temporary_beside(const std::filesystem::path& target) {
    const std::string kind = extension(target);
    const std::string name = target.filename().string();
    const std::string stem = name.substr(0, name.size() - kind.size()).substr(0, longest_stem);
    return target.parent_path() / ("." + stem + partial_mark + host_name() + "." + std::to_string(::getpid()) + kind);
}

// What a temporary file's name says.
struct Partial {
    std::string stem, host, kind;
    pid_t process = 0;
};

std::optional<Partial> parse_partial(const std::string& name) {
    static const std::regex pattern(R"(\.(.+)\.partial-([A-Za-z0-9-]+)\.([0-9]{1,9})(\.[A-Za-z0-9.]+)?)");
    std::smatch part;
    if (!std::regex_match(name, part, pattern)) return {};
    return Partial{part[1], part[2], part[4], static_cast<pid_t>(std::stol(part[3]))};
}

bool is_running(pid_t process) { return ::kill(process, 0) == 0 || errno != ESRCH; }

std::size_t remove_partials(const std::filesystem::path& folder, const std::function<bool(const Partial&)>& wanted) {
    std::size_t removed = 0;
    std::error_code ignored;
    for (std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, ignored), end;
         !ignored && entry != end; entry.increment(ignored)) {
        const auto partial = parse_partial(entry->path().filename().string());
        if (partial && wanted(*partial) && ::unlink(entry->path().c_str()) == 0) ++removed;
    }
    return removed;
}

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& target)
    : target_(follow_links(target)), temporary_(temporary_beside(target_)) {
    std::error_code ignored;
    const auto kind = std::filesystem::status(target_, ignored).type();
    if (kind == std::filesystem::file_type::directory) fail("write", target, EISDIR);
    if (kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::not_found &&
        kind != std::filesystem::file_type::none)
        throw Error(ErrorCode::io, "cannot write '" + target.string() + "': it exists and is not a plain file");
    const Descriptor file(temporary_, O_WRONLY | O_CREAT | O_TRUNC);
    if (file.get() < 0) fail("write", target, errno);
}

AtomicFile::~AtomicFile() {
    std::error_code ignored;
    if (!temporary_.empty()) std::filesystem::remove(temporary_, ignored);
}

void AtomicFile::commit() {
    {
        const Descriptor file(temporary_, O_RDONLY);
        if (file.get() < 0 || ::fsync(file.get()) != 0) fail("write", target_, errno);
    }
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("write", target_, errno);
    temporary_.clear();
    sync_folder(target_.parent_path());
}

std::size_t remove_abandoned_files(const std::filesystem::path& folder) {
    return remove_partials(folder,
                           [](const Partial& file) { return file.host == host_name() && !is_running(file.process); });
}

std::size_t remove_partial_files(const std::filesystem::path& target) {
    const std::string kind = extension(target);
    const std::string name = target.filename().string();
    const std::string stem = name.substr(0, name.size() - kind.size()).substr(0, longest_stem);
    return remove_partials(target.parent_path(),
                           [&](const Partial& file) { return file.stem == stem && file.kind == kind; });
}

std::string host_name() {
    std::array<char, 65> name{};
    ::gethostname(name.data(), name.size() - 1);
    std::string text = name.data();
    for (char& c : text)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '-';
    return text.empty() ? "host" : text.substr(0, 32);
}

std::string extension(const std::filesystem::path& path) {
    std::string last = path.extension().string();
    if (last == ".gz" || last == ".GZ") last = path.stem().extension().string() + last;
    std::transform(last.begin(), last.end(), last.begin(), [](unsigned char c) { return std::tolower(c); });
    return last;
}

void remove_file(const std::filesystem::path& path) {
    if (::unlink(path.c_str()) == 0) return sync_folder(path.parent_path());
    if (errno != ENOENT) fail("remove", path, errno);
}

void write_text(const std::filesystem::path& path, const std::string& text) {
    AtomicFile file(path);
    std::ofstream stream(file.temporary(), std::ios::binary);
    stream << text << std::flush;
    if (!stream) fail("write", path, errno);
    stream.close();
    file.commit();
}

// Non-blocking, so that a named pipe is refused instead of waited for; devices may never end.
std::string read_text(const std::filesystem::path& path, std::size_t most) {
    const Descriptor file(path, O_RDONLY | O_NONBLOCK);
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) fail("read", path, errno);
    if (S_ISDIR(status.st_mode)) fail("read", path, EISDIR);
    if (!S_ISREG(status.st_mode))
        throw Error(ErrorCode::io, "cannot read '" + path.string() + "': it is not a plain file");
    std::string text;
    std::string block(std::size_t{1} << 16, '\0');
    while (true) {
        const ssize_t count = ::read(file.get(), block.data(), block.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("read", path, errno);
        if (count == 0) return text;
        text.append(block, 0, static_cast<std::size_t>(count));
        if (text.size() > most)
            throw Error(ErrorCode::io,
                        "cannot read '" + path.string() + "': larger than " + std::to_string(most) + " bytes");
    }
}

}  // namespace voldiff

#include "app/batch/journal.h"

#include "core/error.h"
#include "io/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <limits>
#include <thread>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_line = std::size_t{1} << 20;

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

// Keeps other hosts out, for whom a network file system does not add at the end in one step. One that cannot lock, or
// whose lock is not given within a second, is written without.
class FileLock {
  public:
    explicit FileLock(int file) : file_(file) {
        for (int i = 0; i < 100 && !held_; ++i) {
            held_ = ::flock(file_, LOCK_EX | LOCK_NB) == 0;
            if (!held_ && errno != EWOULDBLOCK) return;
            if (!held_) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }
    ~FileLock() {
        if (held_) ::flock(file_, LOCK_UN);
    }
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

  private:
    int file_;
    bool held_ = false;
};

// Whether the last byte is a line's end: it is not where a process or the disk ended within a line.
bool ends_with_line(int file) {
    const off_t size = ::lseek(file, 0, SEEK_END);
    char last = '\n';
    return size <= 0 || ::pread(file, &last, 1, size - 1) != 1 || last == '\n';
}

}  // namespace

fs::path journal_path(const fs::path& folder) { return folder / "batch.jsonl"; }

std::vector<JournalEvent> read_journal(const fs::path& file, std::uint64_t& offset) {
    std::vector<JournalEvent> events;
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) return events;
    const std::uintmax_t size = fs::file_size(file, ignored);
    if (ignored || size <= offset) return events;
    std::ifstream stream(file, std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    std::string line(longest_line, '\0');
    while (stream.getline(line.data(), static_cast<std::streamsize>(line.size())),
           stream.gcount() > 0 && !stream.eof()) {
        offset += static_cast<std::uint64_t>(stream.gcount());
        if (stream.fail()) {  // a line that is longer
            stream.clear();
            stream.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
            offset += static_cast<std::uint64_t>(stream.gcount());
            continue;
        }
        JournalEvent event =
            JournalEvent::parse(line.data(), line.data() + stream.gcount() - 1, nullptr, /*allow_exceptions=*/false);
        if (event.is_object() && !text_of(event, "event").empty()) events.push_back(std::move(event));
    }
    return events;
}

std::vector<JournalEvent> read_journal(const fs::path& file) {
    std::uint64_t offset = 0;
    return read_journal(file, offset);
}

std::string text_of(const JournalEvent& event, const std::string& key) {
    const auto found = event.find(key);
    return found != event.end() && found->is_string() ? found->get<std::string>() : "";
}

double number_of(const JournalEvent& event, const std::string& key) {
    const auto found = event.find(key);
    return found != event.end() && found->is_number() ? found->get<double>() : 0;
}

Journal::Journal(const fs::path& folder) : path_(journal_path(folder)) {
    std::error_code problem;
    fs::create_directories(folder, problem);
    if (!problem) file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (problem || file_ < 0) {
        const std::string reason = problem ? problem.message() : std::strerror(errno);
        throw Error(ErrorCode::io, "cannot write the journal '" + path_.string() + "': " + reason);
    }
    struct stat status {};
    if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) {
        ::close(file_);
        throw Error(ErrorCode::io, "cannot write the journal '" + path_.string() + "': it is not a plain file");
    }
    read_to_ = static_cast<std::uint64_t>(::lseek(file_, 0, SEEK_END));
}

Journal::~Journal() { ::close(file_); }

bool Journal::add(JournalEvent event) { return add_line(std::move(event), /*wait=*/true); }

bool Journal::add_soon(JournalEvent event) { return add_line(std::move(event), /*wait=*/false); }

bool Journal::add_line(JournalEvent event, bool wait) {
    JournalEvent line = {
        {"event", event.at("event")}, {"time", utc_now()}, {"host", host_name()}, {"process", ::getpid()}};
    line.update(event);
    std::string text = line.dump(-1, ' ', false, JournalEvent::error_handler_t::replace) + "\n";
    const std::lock_guard<std::mutex> guard(mutex_);
    const FileLock lock(file_);
    if (!ends_with_line(file_)) text.insert(0, "\n");
    const ssize_t written = ::write(file_, text.data(), text.size());
    return written == static_cast<ssize_t>(text.size()) && (!wait || ::fsync(file_) == 0);
}

bool Journal::still_there() const {
    struct stat opened {
    }, named{};
    return ::fstat(file_, &opened) == 0 && ::stat(path_.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

std::vector<JournalEvent> Journal::news() {
    const std::lock_guard<std::mutex> guard(mutex_);
    return read_journal(path_, read_to_);
}

}  // namespace voldiff

#include "app/batch/claim.h"

#include "core/error.h"
#include "io/file.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <optional>
#include <random>
#include <sstream>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

constexpr int most_generations = 1000;
constexpr int probed = 4;  // generations looked for above the last one found: a release leaves holes for a moment

std::optional<std::string> content_of(const fs::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) return {};
    std::array<char, 512> text{};
    const ssize_t size = ::read(descriptor, text.data(), text.size());
    ::close(descriptor);
    return size < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
}

// The highest claim there is.
std::optional<int> highest(const fs::path& volume) {
    std::optional<int> top;
    for (int i = 0; i <= top.value_or(-1) + probed && i < most_generations; ++i)
        if (content_of(claim_path(volume, i))) top = i;
    return top;
}

std::string first_line(const fs::path& file) {
    std::ifstream stream(file);
    std::string line;
    std::getline(stream, line);
    return line;
}

// Process numbers mean something only within one boot and one namespace of them.
std::string machine() {
    std::error_code ignored;
    static const std::string text = host_name() + " " + first_line("/proc/sys/kernel/random/boot_id") + " " +
                                    fs::read_symlink("/proc/self/ns/pid", ignored).string();
    return text;
}

std::string random_token() {
    std::random_device random;
    std::ostringstream text;
    text << std::hex << std::setfill('0') << std::setw(8) << random() << std::setw(8) << random();
    return text.str();
}

// Always of one length, so that a heartbeat needs no room on the disk.
std::string claim_text(const std::string& token, std::uint64_t beats) {
    std::ostringstream text;
    text << nlohmann::ordered_json{{"host", host_name()},
                                   {"process", ::getpid()},
                                   {"machine", machine()},
                                   {"token", token}}
         << std::setw(12) << beats << "\n";
    return text.str();
}

// False where the file exists already.
bool create(const fs::path& file, const std::string& text) {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor < 0 && errno == EEXIST) {
        if (!fs::is_symlink(file)) return false;
        throw Error(ErrorCode::io, "'" + file.string() + "' is a symbolic link, expected none; remove it");
    }
    const bool written =
        descriptor >= 0 && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int reason = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (written) return true;
    if (descriptor >= 0) ::unlink(file.c_str());
    throw Error(ErrorCode::io, "cannot write the claim '" + file.string() + "': " + std::strerror(reason));
}

}  // namespace

fs::path claim_path(const fs::path& volume, int generation) {
    return volume.parent_path() / ("." + volume.filename().string() + ".claim-" + std::to_string(generation));
}

std::string read_claim(const fs::path& volume) {
    const auto top = highest(volume);
    return top ? content_of(claim_path(volume, *top)).value_or("") : "";
}

Claims::Claims(std::chrono::milliseconds timeout) : timeout_(timeout) {
    thread_ = std::thread([this] {
        std::unique_lock<std::mutex> lock(mutex_);
        while (!ending_.wait_for(lock, timeout_ / 6, [this] { return ended_; })) {
            lock.unlock();
            beat();
            lock.lock();
        }
    });
}

Claims::~Claims() {
    {
        const std::lock_guard<std::mutex> guard(mutex_);
        ended_ = true;
    }
    ending_.notify_all();
    thread_.join();
    for (const auto& [volume, held] : held_) remove_files(volume, held);
}

bool Claims::take(const fs::path& volume, Clock::time_point now) {
    const auto top = highest(volume);
    if (!top) return make(volume, 0, "");
    const fs::path file = claim_path(volume, *top);
    const auto content = content_of(file);
    if (!content || !is_dead(file, *content, now) || *top + 1 >= most_generations) return false;
    return make(volume, *top + 1, *content);
}

bool Claims::is_dead(const fs::path& file, const std::string& content, Clock::time_point now) {
    if (names_dead_process(content)) return true;
    const std::lock_guard<std::mutex> guard(mutex_);
    Seen& seen = seen_.emplace(file, Seen{content, now}).first->second;
    if (seen.content != content) seen = {content, now};
    return now - seen.since >= timeout_;
}

bool Claims::names_dead_process(const std::string& content) const {
    const auto claim = nlohmann::json::parse(content.substr(0, content.rfind('}') + 1), nullptr, false);
    if (!claim.is_object() || claim.value("machine", nlohmann::json()) != machine()) return false;
    const auto process = claim.value("process", nlohmann::json());
    if (!process.is_number_integer()) return false;
    if (process == ::getpid()) {
        const std::lock_guard<std::mutex> guard(mutex_);
        for (const auto& [volume, held] : held_)
            if (claim.value("token", nlohmann::json()) == held.token) return false;
        return true;  // of an earlier process with our number
    }
    return ::kill(process.get<pid_t>(), 0) != 0 && errno == ESRCH;
}

// Makes the file first and then looks whether it is right, never the other way round: of two that do so at the same
// time at least one sees the other's.
bool Claims::make(const fs::path& volume, int generation, const std::string& overtaken) {
    Held held{generation, random_token(), overtaken, 0};
    const fs::path file = claim_path(volume, generation);
    if (!create(file, claim_text(held.token, 0))) return false;
    const bool base_is_dead = generation == 0 || content_of(claim_path(volume, generation - 1)) == overtaken;
    const std::lock_guard<std::mutex> guard(mutex_);
    if (base_is_dead && holds_locked(volume, held)) {
        held_[volume] = held;
        return true;
    }
    ::unlink(file.c_str());
    return false;
}

bool Claims::holds_locked(const fs::path& volume, const Held& held) const {
    const auto content = content_of(claim_path(volume, held.generation));
    if (!content || content->find(held.token) == std::string::npos) return false;
    const int last = held.generation + probed;
    int above = held.generation + 1;
    while (above <= last && !content_of(claim_path(volume, above))) ++above;
    return above > last;
}

bool Claims::holds(const fs::path& volume) const {
    const std::lock_guard<std::mutex> guard(mutex_);
    const auto held = held_.find(volume);
    return held != held_.end() && holds_locked(volume, held->second);
}

bool Claims::overtook(const fs::path& volume) const {
    const std::lock_guard<std::mutex> guard(mutex_);
    const auto held = held_.find(volume);
    return held != held_.end() && held->second.generation > 0;
}

void Claims::release(const fs::path& volume) {
    const std::lock_guard<std::mutex> guard(mutex_);
    const auto held = held_.find(volume);
    if (held == held_.end()) return;
    remove_files(volume, held->second);
    held_.erase(held);
}

void Claims::remove_files(const fs::path& volume, const Held& held) const {
    if (!holds_locked(volume, held)) return;
    ::unlink(claim_path(volume, held.generation).c_str());
    for (int below = held.generation - 1; below >= 0; --below) {
        const fs::path file = claim_path(volume, below);
        const auto content = content_of(file);
        if (content && (below < held.generation - 1 || *content == held.overtaken)) ::unlink(file.c_str());
    }
}

void Claims::beat() {
    const std::lock_guard<std::mutex> guard(mutex_);
    for (auto& [volume, held] : held_) {
        if (!holds_locked(volume, held)) continue;
        const int file = ::open(claim_path(volume, held.generation).c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (file < 0) continue;
        const std::string text = claim_text(held.token, ++held.beats);
        if (::pwrite(file, text.data(), text.size(), 0) >= 0) ::fsync(file);
        ::close(file);
    }
}

}  // namespace voldiff

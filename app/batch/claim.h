// Which process makes a volume, where several do one batch: also processes of several hosts with a shared folder.
//
// A claim is the file `.NAME.claim-0` beside the volume, made with O_EXCL. Its owner changes a counter in it, the
// heartbeat. Who finds a claim looks at it again and again; once its content has stayed the same for the time-out by
// the observer's own monotonic clock (no clock of another host, and no file's time, is compared), or its process is
// gone from this machine, the observer makes `.NAME.claim-1`, then checks that claim-0 is still the dead one's, and so
// on upwards. The owner is whoever made the highest one. An owner that was stopped and wakes up finds it and gives up.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace voldiff {

class Claims {
  public:
    using Clock = std::chrono::steady_clock;

    // A heartbeat every sixth of the time-out, from a thread.
    explicit Claims(std::chrono::milliseconds timeout);
    ~Claims();  // releases what is still held
    Claims(const Claims&) = delete;
    Claims& operator=(const Claims&) = delete;

    // True where the caller owns the volume now; false where somebody else does, or may. Never waits. Throws Error(io)
    // where the folder cannot be written.
    bool take(const std::filesystem::path& volume, Clock::time_point now = Clock::now());
    // Whether the caller still owns it: false for one that was stopped for so long that another took over.
    bool holds(const std::filesystem::path& volume) const;
    // Whether a claim that the caller holds was another's, who may have left unfinished files.
    bool overtook(const std::filesystem::path& volume) const;
    void release(const std::filesystem::path& volume);
    void beat();  // what the thread does

  private:
    struct Held {
        int generation = 0;
        std::string token;
        std::string overtaken;  // content of the dead claim below
        std::uint64_t beats = 0;
    };
    struct Seen {
        std::string content;
        Clock::time_point since;
    };

    bool is_dead(const std::filesystem::path& file, const std::string& content, Clock::time_point now);
    bool make(const std::filesystem::path& volume, int generation, const std::string& overtaken);
    bool holds_locked(const std::filesystem::path& volume, const Held& held) const;
    void remove_files(const std::filesystem::path& volume, const Held& held) const;
    bool names_dead_process(const std::string& content) const;

    std::chrono::milliseconds timeout_;
    mutable std::mutex mutex_;
    std::condition_variable ending_;
    bool ended_ = false;
    std::map<std::filesystem::path, Held> held_;
    std::map<std::filesystem::path, Seen> seen_;
    std::thread thread_;
};

// The file of a claim. Beside `night/ct.nii.gz`: `night/.ct.nii.gz.claim-0`
std::filesystem::path claim_path(const std::filesystem::path& volume, int generation);

// What the highest claim on a volume says ("host", "process"), or "" without one.
std::string read_claim(const std::filesystem::path& volume);

}  // namespace voldiff

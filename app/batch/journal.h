// What happened to the runs of a folder: `batch.jsonl`, to which lines are only ever added.
//
// A line is one JSON object: `event` (begin, load, start, done, failed, retry, interrupted, end), `time` (UTC), `host`,
// `process`, and of a run its `id` and `volume`. Several processes, on several hosts, may write one journal. Whether a
// volume is made does not depend on it: its record says so.
#pragma once

#include <nlohmann/json.hpp>

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace voldiff {

using JournalEvent = nlohmann::ordered_json;

std::filesystem::path journal_path(const std::filesystem::path& folder);

// The whole lines of a journal from the byte `offset` on, which moves behind them. What is no JSON object, or longer
// than 1 MiB, is left out; none where there is no plain file.
std::vector<JournalEvent> read_journal(const std::filesystem::path& file, std::uint64_t& offset);
std::vector<JournalEvent> read_journal(const std::filesystem::path& file);

// A text or a number of an event that anybody may have written; "" and 0 where it has none.
std::string text_of(const JournalEvent& event, const std::string& key);
double number_of(const JournalEvent& event, const std::string& key);

class Journal {
  public:
    // Makes the folder and opens its journal. Throws Error(io), also where the journal is a symbolic link.
    explicit Journal(const std::filesystem::path& folder);
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    // Adds a line in one write and waits until it is on the disk. False where the system refuses (a full disk), which
    // spoils no other line. Threads may share a journal.
    bool add(JournalEvent event);
    // The same without waiting: it survives the end of the process, but not of the machine.
    bool add_soon(JournalEvent event);
    // False once the folder was unmounted, removed or replaced.
    bool still_there() const;
    // What was added since the opening, or since the last call, by anybody.
    std::vector<JournalEvent> news();

  private:
    bool add_line(JournalEvent event, bool wait);

    std::filesystem::path path_;
    int file_ = -1;
    std::uint64_t read_to_ = 0;
    std::mutex mutex_;
};

}  // namespace voldiff

// Messages for people, on stderr. A value passed by reference: there is no global log.
#pragma once

#include <iosfwd>
#include <mutex>
#include <string>
#include <vector>

namespace voldiff {

enum class LogLevel { debug, info, warn, error };

// Throws Error(usage) for another name than those in log_level_names().
LogLevel log_level(const std::string& name);
const std::vector<std::string>& log_level_names();

class Log {
  public:
    // `terminal`: lines can be redrawn; `colour`: they can be coloured. A stream that fails is ignored.
    Log(std::ostream& stream, bool terminal, bool colour) : stream_(stream), terminal_(terminal), colour_(colour) {}
    ~Log() { clear_status(); }
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void set_level(LogLevel level) { level_ = level; }
    bool shows(LogLevel level) const { return level >= level_; }
    bool terminal() const { return terminal_; }

    void debug(const std::string& text);
    void info(const std::string& text);
    void warn(const std::string& text);
    void error(const std::string& text);

    // A line at level info that the next message or status takes the place of; only for a terminal.
    void status(const std::string& text);
    void clear_status();

  private:
    void clear_line();
    void write(LogLevel level, const char* colour, const char* prefix, const std::string& text);

    std::mutex mutex_;  // threads may share a log
    std::ostream& stream_;
    bool terminal_;
    bool colour_;
    bool status_shown_ = false;
    LogLevel level_ = LogLevel::info;
};

// Whether stderr is a terminal, and one that colours are wanted on (https://no-color.org).
bool stderr_is_terminal();
bool colour_wanted();

}  // namespace voldiff

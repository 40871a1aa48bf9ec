#include "app/log.h"

#include "core/error.h"
#include "core/text.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ostream>

namespace voldiff {

namespace {

constexpr const char* to_line_start_and_clear = "\r\033[K";

std::size_t terminal_width() {
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return known ? size.ws_col : std::size_t{80};
}

}  // namespace

const std::vector<std::string>& log_level_names() {
    static const std::vector<std::string> names = {"debug", "info", "warn", "error"};  // in the order of LogLevel
    return names;
}

LogLevel log_level(const std::string& name) {
    const auto& names = log_level_names();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
        throw Error(ErrorCode::usage, "unknown log level '" + name + "'; expected one of " + join(names));
    return static_cast<LogLevel>(found - names.begin());
}

void Log::debug(const std::string& text) { write(LogLevel::debug, "\033[2m", "debug: ", text); }
void Log::info(const std::string& text) { write(LogLevel::info, "", "", text); }
void Log::warn(const std::string& text) { write(LogLevel::warn, "\033[33m", "warning: ", text); }
void Log::error(const std::string& text) { write(LogLevel::error, "\033[31m", "error: ", text); }

void Log::write(LogLevel level, const char* colour, const char* prefix, const std::string& text) {
    if (!shows(level)) return;
    const std::lock_guard<std::mutex> guard(mutex_);
    clear_line();
    const bool coloured = colour_ && *prefix != '\0';
    stream_ << (coloured ? colour : "") << prefix << (coloured ? "\033[0m" : "") << text << std::endl;
}

void Log::status(const std::string& text) {
    if (!terminal_ || !shows(LogLevel::info)) return;
    const std::lock_guard<std::mutex> guard(mutex_);
    stream_ << to_line_start_and_clear << text.substr(0, terminal_width() - 1) << std::flush;
    status_shown_ = true;
}

void Log::clear_status() {
    const std::lock_guard<std::mutex> guard(mutex_);
    clear_line();
}

void Log::clear_line() {
    if (status_shown_) stream_ << to_line_start_and_clear << std::flush;
    status_shown_ = false;
}

bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

bool colour_wanted() {
    const char* refused = std::getenv("NO_COLOR");
    const char* kind = std::getenv("TERM");
    const bool dumb = kind != nullptr && std::string(kind) == "dumb";
    return stderr_is_terminal() && !dumb && (refused == nullptr || *refused == '\0');
}

}  // namespace voldiff

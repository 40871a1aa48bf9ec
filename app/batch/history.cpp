#include "app/batch/history.h"

#include <algorithm>

namespace voldiff {

std::map<std::string, std::size_t> unfinished_starts(const std::vector<JournalEvent>& events) {
    std::map<std::string, std::size_t> starts;
    for (const JournalEvent& event : events) {
        const std::string what = text_of(event, "event");
        if (what == "start")
            ++starts[text_of(event, "id")];
        else if (what == "done" || what == "failed" || what == "interrupted")
            starts.erase(text_of(event, "id"));
    }
    return starts;
}

std::string error_text(const JournalEvent& event) {
    std::string text = text_of(event, "error");
    const auto is_control = [](unsigned char c) { return (c < ' ' && c != '\n') || c == 127; };
    std::replace_if(text.begin(), text.end(), is_control, '?');
    return text;
}

std::map<std::string, Error> failures_of(const std::vector<JournalEvent>& events) {
    constexpr double last = 255;  // of exit statuses; anything may stand in a journal
    std::map<std::string, Error> failures;
    for (const JournalEvent& event : events) {
        const std::string what = text_of(event, "event");
        if (what == "failed" || what == "done") failures.erase(text_of(event, "id"));
        if (what != "failed") continue;
        const double code = number_of(event, "code");
        const bool known = code >= 1 && code <= last;
        failures.emplace(
            text_of(event, "id"),
            Error(known ? static_cast<ErrorCode>(static_cast<int>(code)) : ErrorCode::internal, error_text(event)));
    }
    return failures;
}

}  // namespace voldiff

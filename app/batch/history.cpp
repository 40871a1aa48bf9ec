#include "app/batch/history.h"

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

}  // namespace voldiff

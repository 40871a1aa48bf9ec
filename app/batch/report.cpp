#include "app/batch/report.h"

#include "app/batch/claim.h"
#include "app/batch/made.h"
#include "app/progress.h"
#include "core/text.h"
#include "io/run_identity.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

std::string name_of(const Job& job) { return job.files.volume.empty() ? job.label : job.files.volume.string(); }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// "host:process" of the claim on a volume, or "".
std::string owner_of(const Job& job) {
    const std::string text = read_claim(job.files.volume);
    const auto claim = JournalEvent::parse(text.substr(0, text.rfind('}') + 1), nullptr, false);
    if (!claim.is_object()) return text.empty() ? "" : "unknown";
    return printable(text_of(claim, "host")) + ":" + short_number(number_of(claim, "process"));
}

std::string duration(const Report& seconds) { return clock_time(seconds.get<double>()); }

std::string bytes(const Report& number) { return byte_size(static_cast<std::uint64_t>(number.get<double>())); }

}  // namespace

std::vector<JournalEvent> events_of(const std::vector<const Job*>& jobs) {
    std::set<fs::path> folders;
    for (const Job* job : jobs)
        if (!job->files.volume.empty()) folders.insert(job->files.volume.parent_path());
    std::vector<JournalEvent> events;
    for (const fs::path& folder : folders)
        for (JournalEvent& event : read_journal(journal_path(folder))) events.push_back(std::move(event));
    return events;
}

namespace {

// The weights of all runs that a process makes, each file once: a model stays in memory after its last run.
class HeldWeights {
  public:
    void add(const RunConfig& run) {
        for (const fs::path& file : weights_of(run)) bytes_[file] = size_of(file);
    }
    double beside(const RunConfig& run) const {
        double bytes = 0;
        for (const auto& [file, size] : bytes_) bytes += size;
        for (const fs::path& file : weights_of(run)) bytes -= bytes_.at(file);
        return bytes;
    }

  private:
    static std::set<fs::path> weights_of(const RunConfig& run) {
        std::set<fs::path> files;
        for (const auto& [key, path] : run_weights(run)) files.insert(path);
        return files;
    }
    static double size_of(const fs::path& file) {
        std::error_code absent;
        const auto size = fs::file_size(file, absent);
        return absent ? 0 : static_cast<double>(size);
    }

    std::map<fs::path, double> bytes_;
};

}  // namespace

Report plan_report(const std::vector<const Job*>& jobs, bool verify, const Forecaster& forecaster) {
    Report runs = Report::array();
    double seconds = 0, memory = 0;
    std::size_t to_make = 0, bad = 0;
    HeldWeights held;
    std::map<const Job*, std::string> states;
    for (const Job* job : jobs) {
        if (job->problem) continue;
        states[job] = why_not_made(*job, verify);
        if (!states[job].empty()) held.add(*job->run);
    }
    for (const Job* job : jobs) {
        Report row = {{"run", job->number}, {"volume", name_of(*job)}, {"what", job->label}};
        if (job->problem) {
            ++bad;
            row["state"] = "cannot be made";
            row["problem"] = job->problem->what();
            runs.push_back(row);
            continue;
        }
        const std::string& why = states[job];
        const Forecast prediction = forecaster.of(*job->work);
        row["state"] = why.empty() ? "made" : why;
        row["size"] = job->work->size;
        row["steps"] = job->work->steps;
        row["seconds"] = prediction.seconds;
        row["memory_bytes"] = prediction.memory;
        row["prediction"] = prediction.source;
        runs.push_back(row);
        if (why.empty()) continue;
        ++to_make;
        seconds += prediction.seconds;
        memory = std::max(memory, prediction.memory + held.beside(*job->run));
    }
    return {
        {"runs", runs}, {"to_make", to_make}, {"cannot_be_made", bad}, {"seconds", seconds}, {"memory_bytes", memory}};
}

void print_plan(std::ostream& out, const Report& plan) {
    std::vector<std::vector<std::string>> rows = {{"volume", "size", "steps", "time", "memory", "from", "state"}};
    for (const Report& run : plan.at("runs")) {
        std::vector<std::string> row{run.at("volume")};
        if (run.contains("problem"))
            row.insert(row.end(), {"-", "-", "-", "-", "-", "cannot be made"});
        else
            row.insert(row.end(),
                       {join_values(run.at("size"), "x"), run.at("steps").dump(), duration(run.at("seconds")),
                        bytes(run.at("memory_bytes")), run.at("prediction"), run.at("state")});
        rows.push_back(std::move(row));
    }
    print_columns(out, rows);
    for (const Report& run : plan.at("runs"))
        if (run.contains("problem"))
            out << run.at("volume").get<std::string>() << ": " << run.at("problem").get<std::string>() << "\n";
    out << plan.at("to_make") << " of " << plan.at("runs").size() << " to make, about " << duration(plan.at("seconds"))
        << " and at most " << bytes(plan.at("memory_bytes")) << " in one process; " << plan.at("cannot_be_made")
        << " cannot be made\n";
}

Report status_report(const std::vector<const Job*>& jobs) {
    const std::vector<JournalEvent> events = events_of(jobs);
    const Forecaster forecaster(events);
    const auto failures = failures_of(events);
    Report failed = Report::array(), running = Report::array();
    std::size_t made = 0, waiting = 0;
    double left = 0;
    bool known = true;
    for (const Job* job : jobs) {
        if (!job->problem && why_not_made(*job, false).empty()) {
            ++made;
            continue;
        }
        const std::string owner = job->problem ? "" : owner_of(*job);
        const auto failure = failures.find(job->id);
        if (job->problem || (owner.empty() && failure != failures.end()))
            failed.push_back({{"run", job->number},
                              {"volume", name_of(*job)},
                              {"error", job->problem ? job->problem->what() : failure->second.what()}});
        else if (owner.empty())
            ++waiting;
        else
            running.push_back({{"run", job->number}, {"volume", name_of(*job)}, {"by", owner}});
        if (!job->work) continue;
        const Forecast prediction = forecaster.of(*job->work);
        left += prediction.seconds;
        known = known && prediction.source != "unknown";
    }
    return {{"runs", jobs.size()}, {"made", made},
            {"running", running},  {"waiting", waiting},
            {"failed", failed},    {"seconds_left_in_one_process", known ? Report(left) : Report()}};
}

void print_status(std::ostream& out, const Report& status) {
    print_field(out, "runs", status.at("runs").dump());
    print_field(out, "made", status.at("made").dump());
    print_field(out, "running", std::to_string(status.at("running").size()));
    for (const Report& run : status.at("running"))
        out << "  " << run.at("volume").get<std::string>() << "  by " << run.at("by").get<std::string>() << "\n";
    print_field(out, "waiting", status.at("waiting").dump());
    print_field(out, "failed", std::to_string(status.at("failed").size()));
    for (const Report& run : status.at("failed"))
        out << "  " << run.at("volume").get<std::string>() << "  " << first_line(run.at("error")) << "\n";
    const Report& left = status.at("seconds_left_in_one_process");
    print_field(
        out, "left",
        left.is_null() ? "unknown before the first volume (--dry-run tries)" : duration(left) + " in one process");
}

Report result_report(const BatchResult& result) {
    Report made = Report::array(), failed = Report::array();
    for (const fs::path& path : result.made) made.push_back(path.string());
    for (const FailedRun& run : result.failed)
        failed.push_back({{"run", run.number},
                          {"volume", run.label},
                          {"code", exit_status(run.error.code())},
                          {"error", run.error.what()}});
    return {{"made", made},
            {"made_before", result.found},
            {"made_by_others", result.elsewhere},
            {"failed", failed},
            {"models_loaded", result.loads}};
}

std::string failure_table(const BatchResult& result) {
    std::ostringstream text;
    std::vector<std::vector<std::string>> rows = {{"volume", "run", "code"}};
    for (const FailedRun& run : result.failed)
        rows.push_back({run.label, std::to_string(run.number), std::to_string(exit_status(run.error.code()))});
    std::ostringstream columns;
    print_columns(columns, rows);
    std::istringstream lines(columns.str());
    std::string line;
    std::getline(lines, line);
    text << "  " << line << "  why\n";
    for (const FailedRun& run : result.failed) {
        std::getline(lines, line);
        text << "  " << line << "  " << first_line(run.error.what()) << "\n";
    }
    return text.str();
}

}  // namespace voldiff

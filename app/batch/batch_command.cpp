#include "app/batch/batch_command.h"

#include "app/batch/confine.h"
#include "app/batch/made.h"
#include "app/batch/report.h"
#include "app/batch/slurm.h"
#include "app/batch/workers.h"
#include "core/error.h"
#include "io/file.h"
#include "io/system/system.h"

#include <algorithm>
#include <initializer_list>
#include <set>

namespace voldiff {

namespace {

// What other processes of this batch are called with.
std::vector<std::string> arguments_of(const BatchCommand& command) {
    std::vector<std::string> words = {"batch", command.file, "--output", command.output};
    const auto add = [&words](bool wanted, std::initializer_list<std::string> more) {
        if (wanted) words.insert(words.end(), more);
    };
    add(!command.models.empty(), {"--models", command.models});
    for (const std::string& set : command.sets) add(true, {"--set", set});
    add(true, {"--retries", std::to_string(command.retries)});
    add(true, {"--claim-timeout", std::to_string(command.claim_timeout)});
    add(command.force, {"--force"});
    add(command.allow_torchscript, {"--allow-torchscript"});
    add(command.verify, {"--verify"});
    return words;
}

std::set<const Job*> made_of(const std::vector<const Job*>& jobs, bool verify) {
    std::set<const Job*> made;
    for (const Job* job : jobs)
        if (!job->problem && why_not_made(*job, verify).empty()) made.insert(job);
    return made;
}

// What became of the jobs, from their folders and the journals.
BatchResult result_of(const std::vector<const Job*>& jobs, const std::set<const Job*>& before, const Cancel& cancel) {
    BatchResult result;
    result.found = before.size();
    result.interrupted = cancel.requested();
    const std::set<const Job*> made = made_of(jobs, false);
    const auto failures = failures_of(events_of(jobs));
    for (const Job* job : jobs) {
        const std::string name = job->files.volume.empty() ? job->label : job->files.volume.string();
        if (made.count(job) != 0) {
            if (before.count(job) == 0) result.made.push_back(job->files.volume);
        } else if (job->problem) {
            result.failed.push_back({job->number, name, *job->problem});
        } else if (const auto failure = failures.find(job->id); failure != failures.end()) {
            result.failed.push_back({job->number, name, failure->second});
        } else if (!result.interrupted) {
            result.failed.push_back({job->number, name, Error(ErrorCode::internal, "no worker came to it")});
        }
    }
    return result;
}

constexpr double task_seconds = 3600;  // of a Slurm task, where nobody says how many
constexpr std::size_t most_tasks = 100;

// A margin for what predictions do not know.
SlurmJob slurm_job(const BatchCommand& command, const Report& plan) {
    SlurmJob job;
    const double seconds = plan.at("seconds");
    const std::size_t runs = std::max<std::size_t>(1, plan.at("to_make"));
    job.tasks = command.slurm_tasks > 0 ? command.slurm_tasks
                                        : std::min(most_tasks, static_cast<std::size_t>(seconds / task_seconds) + 1);
    job.tasks = std::min(job.tasks, runs);
    job.name = "voldiff-" + std::filesystem::path(command.file).stem().string();
    job.arguments = {std::filesystem::read_symlink("/proc/self/exe").string()};
    for (const std::string& word : arguments_of(command)) job.arguments.push_back(word);
    job.cores = std::min(8, core_count());
    job.memory = plan.at("memory_bytes").get<double>() * 1.3 + (512 << 20);
    job.seconds = seconds / static_cast<double>(job.tasks) * 2 + 900;
    return job;
}

}  // namespace

std::string count_of(std::size_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

BatchResult run_with_workers(const std::vector<const Job*>& jobs, const BatchCommand& command, const Shard& shard,
                             Context& context) {
    const std::set<const Job*> before = made_of(jobs, command.verify);
    std::vector<std::string> arguments = arguments_of(command);
    if (shard.count > 1)
        arguments.insert(arguments.end(), {"--shard", std::to_string(shard.index) + "/" + std::to_string(shard.count)});
    arguments.insert(arguments.end(), {"--log-level", "error"});
    context.log.info(count_of(command.workers, "worker") + " for " + count_of(jobs.size(), "run"));
    std::size_t told = 0;
    run_workers(command.workers, arguments, context, [&] {
        const std::size_t made = made_of(jobs, false).size();
        if (made != told) context.log.info(std::to_string(made) + " of " + count_of(jobs.size(), "volume") + " made");
        told = made;
    });
    return result_of(jobs, before, context.cancel);
}

Report plan_of(std::vector<Job>& all, const std::vector<const Job*>& jobs, const BatchCommand& command,
               const std::shared_ptr<ModelStore>& store, Context& context) {
    const std::vector<JournalEvent> events = events_of(jobs);
    Rehearsal rehearsal(store, context, command.force);
    const auto estimates = rehearse(all, Forecaster(events).measured(), rehearsal, context);
    return plan_report(jobs, command.verify, Forecaster(events, estimates));
}

void run_slurm(const Report& plan, const BatchCommand& command, Context& context) {
    const SlurmJob job = slurm_job(command, plan);
    const std::string script = slurm_script(job);
    if (command.dry_run) {
        context.out << script;
        return;
    }
    const std::filesystem::path folder = command.output;
    std::filesystem::create_directories(folder);
    check_files_inside(folder, {folder / "batch.sbatch"});
    write_text(folder / "batch.sbatch", script);
    std::vector<std::string> options = {"--output=" + (std::filesystem::absolute(folder) / "slurm-%A_%a.log").string()};
    options.insert(options.end(), command.slurm_options.begin(), command.slurm_options.end());
    const std::string id = submit(folder / "batch.sbatch", options);
    context.log.info("submitted " + count_of(job.tasks, "task") + "; voldiff batch " + command.file +
                     " --status shows how far they are");
    context.out << id << "\n";
}

}  // namespace voldiff

// voldiff batch: many volumes from a list of runs.
#include "app/batch/batch_command.h"
#include "app/batch/batch_file.h"
#include "app/batch/report.h"
#include "app/batch/workers.h"
#include "app/commands/commands.h"
#include "app/set_option.h"
#include "core/error.h"

namespace voldiff {

namespace {

std::size_t problems_of(const std::vector<const Job*>& jobs) {
    std::size_t count = 0;
    for (const Job* job : jobs) count += job->problem ? 1 : 0;
    return count;
}

[[noreturn]] void refuse(std::size_t problems, std::size_t all) {
    throw Error(ErrorCode::partial, count_of(problems, "run") + " of " + std::to_string(all) + " cannot be made");
}

void show(const Report& report, void (*print)(std::ostream&, const Report&), bool json, Context& context) {
    json ? print_json(context.out, report) : print(context.out, report);
}

// Throws what the exit status comes from.
void conclude(const BatchResult& result, const BatchCommand& command, std::size_t all, Context& context) {
    if (command.json) print_json(context.out, result_report(result));
    if (!command.json)
        for (const auto& path : result.made) context.out << path.string() << "\n";
    const std::string more = result.found + result.elsewhere > 0 ? ", " + std::to_string(result.found) + " before, " +
                                                                       std::to_string(result.elsewhere) + " by others"
                                                                 : "";
    context.log.info(count_of(result.made.size(), "volume") + " made" + more + ", " +
                     std::to_string(result.failed.size()) + " failed");
    if (!result.failed.empty()) context.log.warn("what failed:\n" + failure_table(result));
    if (!result.gone.empty()) throw Error(ErrorCode::io, result.gone + "\nthe next call goes on from here");
    if (result.interrupted)
        throw Error(ErrorCode::cancelled, "interrupted; what is made is whole, and the next call goes on from here");
    if (!result.failed.empty())
        throw Error(ErrorCode::partial, count_of(result.failed.size(), "run") + " of " + std::to_string(all) +
                                            " failed; the next call tries them again");
}

// --dry-run and --slurm.
void plan(std::vector<Job>& all, const std::vector<const Job*>& jobs, const BatchCommand& command,
          const std::shared_ptr<ModelStore>& store, Context& context) {
    const Report plan = plan_of(all, jobs, command, store, context);
    if (command.slurm) return run_slurm(plan, command, context);
    show(plan, print_plan, command.json, context);
    if (const std::size_t problems = problems_of(jobs); problems > 0) refuse(problems, jobs.size());
}

void run(const BatchCommand& command, Context& context) {
    if (!command.worker.empty()) become_worker(parse_shard(command.worker));
    const auto store = std::make_shared<ModelStore>();
    const BatchSettings settings{command.output, command.models, set_overrides(command.sets, "--set"), command.force,
                                 command.allow_torchscript};
    const Shard shard = command.shard.empty() ? slurm_shard() : parse_shard(command.shard);
    std::vector<Job> all = plan_jobs(read_batch_file(command.file), settings, *store);
    const std::vector<const Job*> jobs = jobs_of(all, command.status ? Shard{} : shard);
    if (shard.count > 1)
        context.log.info("part " + std::to_string(shard.index) + " of " + std::to_string(shard.count) + ": " +
                         std::to_string(jobs.size()) + " of " + count_of(all.size(), "run"));
    if (command.status) return show(status_report(jobs), print_status, command.json, context);
    if (command.slurm || command.dry_run) return plan(all, jobs, command, store, context);
    const std::size_t problems = problems_of(jobs);
    if (command.strict && problems > 0) {
        for (const Job* job : jobs)
            if (job->problem) context.log.warn(job->label + ": " + job->problem->what());
        refuse(problems, jobs.size());
    }
    if (command.workers > 1)
        return conclude(run_with_workers(jobs, command, shard, context), command, jobs.size(), context);
    RunnerOptions options;
    options.root = command.output;
    options.retries = command.retries;
    options.verify = command.verify;
    options.beyond_training = command.force;
    options.claim_timeout = std::chrono::seconds(command.claim_timeout);
    conclude(run_batch(jobs, options, store, context), command, jobs.size(), context);
}

void add_options(CLI::App& parser, BatchCommand& command) {
    parser.add_option("jobs", command.file, "list of runs: a jobs file (YAML) or a table (CSV)")
        ->type_name("FILE")
        ->required();
    parser.add_option("-o,--output", command.output, "folder that everything is written in, and nothing outside")
        ->group("Output")
        ->type_name("DIR")
        ->capture_default_str();
    parser
        .add_option("--models", command.models, "folder of the weight files, after the configs' own; $VOLDIFF_MODELS")
        ->group("Run")
        ->type_name("DIR");
    add_set_option(parser, "--set", command.sets, "any option of all runs, over what the list says; repeatable");
    parser.add_flag("--force", command.force, "go beyond what the models were trained for")->group("Run");
    parser
        .add_flag("--allow-torchscript", command.allow_torchscript,
                  "run weights that are TorchScript modules, which are programs")
        ->group("Run");
    parser.add_option("--retries", command.retries, "how often a run is tried again where that may help")
        ->group("Run")
        ->type_name("N")
        ->check(CLI::Range(0, 100).description(""))
        ->capture_default_str();
    parser.add_flag("--strict", command.strict, "make nothing where any run cannot be made")->group("Run");
    parser.add_flag("--verify", command.verify, "read what is made already, and make again what is damaged")
        ->group("Run");
    parser.add_option("--shard", command.shard, "make one of n parts, as 0/4; a Slurm array's task makes its own")
        ->group("Processes")
        ->type_name("I/N");
    parser.add_option("--workers", command.workers, "processes on this machine, each with its share of the cores")
        ->group("Processes")
        ->type_name("N")
        ->check(CLI::Range(1, 1024).description(""))
        ->capture_default_str();
    parser.add_option("--worker", command.worker, "")->group("");  // of a process that --workers started
    parser.add_flag("--slurm", command.slurm, "submit an array job to Slurm; with --dry-run show its script only")
        ->group("Processes");
    parser.add_option("--slurm-tasks", command.slurm_tasks, "tasks of the array; by default of about an hour each")
        ->group("Processes")
        ->type_name("N")
        ->check(CLI::Range(1, 100000).description(""));
    parser
        .add_option("--slurm-option", command.slurm_options, "an option of sbatch, as --slurm-option=--partition=gpu")
        ->group("Processes")
        ->type_name("OPTION")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    parser
        .add_option("--claim-timeout", command.claim_timeout,
                    "seconds without a sign of life after which a run is taken over from another process")
        ->group("Processes")
        ->type_name("N")
        ->check(CLI::Range(1, 86400).description(""))
        ->capture_default_str();
    parser.add_flag("--dry-run", command.dry_run, "check every run, show times and memory, make nothing")
        ->group("Output");
    parser.add_flag("--status", command.status, "show how far the batch is, from its journals; make nothing")
        ->group("Output");
    parser.add_flag("--json", command.json, "print the result as JSON")->group("Output");
}

}  // namespace

Action add_batch(CLI::App& parser) {
    const auto command = std::make_shared<BatchCommand>();
    add_options(parser, *command);
    return [command](Context& context) { run(*command, context); };
}

}  // namespace voldiff

#include "app/batch/runner.h"

#include "app/batch/background.h"
#include "app/batch/claim.h"
#include "app/batch/confine.h"
#include "app/batch/forecast.h"
#include "app/batch/history.h"
#include "app/batch/journal.h"
#include "app/batch/made.h"
#include "app/exit_codes.h"
#include "app/generation.h"
#include "app/table.h"
#include "core/networks/autoencoder_kl.h"
#include "core/ops/kernels/mapped_memory.h"
#include "core/pipeline/conditions.h"
#include "io/file.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <iostream>
#include <map>
#include <set>
#include <thread>

namespace voldiff {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

class Runner {
  public:
    Runner(const RunnerOptions& options, std::shared_ptr<ModelStore> store, Context& context)
        : options_(options),
          store_(std::move(store)),
          context_(context),
          run_log_(std::cerr, stderr_is_terminal(), colour_wanted()),
          run_context_{run_log_, context.cancel, context.out},
          claims_(options.claim_timeout) {
        run_log_.set_level(context.log.shows(LogLevel::debug)  ? LogLevel::info
                           : context.log.shows(LogLevel::warn) ? LogLevel::warn
                                                               : LogLevel::error);
    }

    BatchResult run(const std::vector<const Job*>& jobs) {
        const ops::MemoryReuse reuse;  // the next run takes what this one leaves
        all_ = jobs.size();
        open_folders(jobs);
        for (const Job* job : jobs)
            if (job->problem) fail(*job, *job->problem);
        std::vector<const Job*> left = in_order(jobs);
        while (!left.empty() && !stopped()) {
            std::vector<const Job*> busy;
            for (const Job* job : left) {
                if (stopped()) break;
                if (!visit(*job)) busy.push_back(job);
            }
            left = std::move(busy);
            if (!left.empty() && !stopped()) wait_for_others(left.size());
        }
        background_.wait();
        result_.interrupted = context_.cancel.requested();
        result_.loads = store_->loads();
        for (const auto& [folder, journal] : journals_) journal->add({{"event", "end"}, {"made", result_.made.size()}});
        return std::move(result_);
    }

  private:
    bool stopped() const { return context_.cancel.requested() || is_gone_; }

    static fs::path folder_of(const Job& job) { return job.files.volume.parent_path(); }

    // A folder that cannot be written is a failure of its runs alone.
    void open_folders(const std::vector<const Job*>& jobs) {
        for (const Job* job : jobs) {
            const fs::path folder = folder_of(*job);
            if (job->problem || !folders_.insert(folder).second) continue;
            try {
                check_files_inside(options_.root, {job->files.volume});
                journals_[folder] = std::make_unique<Journal>(folder);
                const std::size_t removed = remove_abandoned_files(folder);
                if (removed > 0)
                    context_.log.info("removed " + std::to_string(removed) + " unfinished files of " + folder.string());
                journals_[folder]->add({{"event", "begin"}, {"runs", jobs.size()}});
            } catch (const Error& error) {
                unusable_.emplace(folder, error);
            }
        }
    }

    // Runs that ended a process twice go last, so that one of them cannot keep the others from being made.
    std::vector<const Job*> in_order(const std::vector<const Job*>& jobs) {
        std::map<std::string, std::size_t> deaths;
        for (const auto& [folder, journal] : journals_)
            for (const auto& [id, count] : unfinished_starts(read_journal(journal_path(folder)))) deaths[id] = count;
        std::vector<const Job*> ordered = jobs;
        const auto middle = std::stable_partition(ordered.begin(), ordered.end(), [&](const Job* job) {
            const auto found = deaths.find(job->id);
            return found == deaths.end() || found->second < 2;
        });
        if (middle != ordered.begin() && middle != ordered.end())
            context_.log.info(std::to_string(ordered.end() - middle) + " runs that ended a process before go last");
        return ordered;
    }

    void wait_for_others(std::size_t count) {
        if (count != told_waiting_) context_.log.info("waiting for " + std::to_string(count) + " runs of others");
        told_waiting_ = count;
        background_.wait();
        const auto until =
            Clock::now() + std::min<Clock::duration>(options_.claim_timeout / 6, std::chrono::seconds(2));
        while (Clock::now() < until && !stopped()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }

    // False where another process has it.
    bool visit(const Job& job) {
        if (job.problem) return true;  // told at the start
        const auto unusable = unusable_.find(folder_of(job));
        if (unusable != unusable_.end()) return fail(job, unusable->second);
        if (failed_elsewhere(job)) return true;
        try {
            if (is_made(job)) {
                clear_dead_claim(job);
                return true;
            }
            check_there(job);
            if (!claims_.take(job.files.volume)) {
                waited_for_.insert(job.id);
                return false;
            }
            if (is_made(job))
                claims_.release(job.files.volume);
            else
                make(job);
        } catch (const std::exception& exception) {
            fail(job, as_error(exception));
        }
        return true;
    }

    // Of a process that was killed between the record and the end of its claim.
    void clear_dead_claim(const Job& job) {
        if (!read_claim(job.files.volume).empty() && claims_.take(job.files.volume)) claims_.release(job.files.volume);
    }

    bool is_made(const Job& job) {
        if (!why_not_made(job, options_.verify).empty()) return false;
        const std::lock_guard<std::mutex> guard(mutex_);
        ++(waited_for_.count(job.id) != 0 ? result_.elsewhere : result_.found);
        return true;
    }

    // Another process of this batch tried it in vain: the reason is the same here.
    bool failed_elsewhere(const Job& job) {
        for (const JournalEvent& event : journals_.at(folder_of(job))->news()) {
            const bool own = text_of(event, "host") == host_name() && number_of(event, "process") == ::getpid();
            if (text_of(event, "event") == "failed" && !own) failures_[text_of(event, "id")] = error_text(event);
        }
        const auto found = failures_.find(job.id);
        if (found == failures_.end()) return false;
        add_failed(job, Error(ErrorCode::partial, found->second + " (in another process)"));
        return true;
    }

    void check_there(const Job& job) {
        if (journals_.at(folder_of(job))->still_there()) return;
        is_gone_ = true;
        throw Error(ErrorCode::io, "the journal in '" + folder_of(job).string() +
                                       "' is no longer there; was the folder unmounted or removed?");
    }

    void make(const Job& job) {
        if (claims_.overtook(job.files.volume))
            for (const fs::path& file : files_of(job.files)) remove_partial_files(file);
        note(job, {{"event", "start"}}, &Journal::add_soon);  // lost with the machine's power, it costs nothing
        const auto start = Clock::now();
        try {
            check_room(job);
            auto made = std::make_shared<MadeVolume>(compute(job));
            made->record.config_hash = job.id;  // of the options asked for, also where memory needed others
            const double seconds = seconds_since(start);
            background_.put(
                [this, &job, made, seconds, generation = generation_] { write(job, *made, *generation, seconds); });
        } catch (const std::exception& exception) {
            claims_.release(job.files.volume);
            const Error error = as_error(exception);
            if (error.code() != ErrorCode::cancelled) throw;
            note(job, {{"event", "interrupted"}});
        }
    }

    // Volumes of noise hardly compress.
    void check_room(const Job& job) const {
        double bytes = 2;
        for (const std::int64_t extent : job.work->size) bytes *= static_cast<double>(extent);
        std::error_code unknown;
        const fs::space_info room = fs::space(folder_of(job), unknown);
        if (unknown || static_cast<double>(room.available) >= bytes) return;
        throw Error(ErrorCode::io, "no room in '" + folder_of(job).string() + "': " + byte_size(room.available) +
                                       " are free, expected " + byte_size(static_cast<std::uint64_t>(bytes)));
    }

    MadeVolume compute(const Job& job) {
        for (std::int64_t attempt = 0;; ++attempt) {
            try {
                prepare(job);
                return generation_->compute(job.files);
            } catch (const std::exception& exception) {
                const Error error = as_error(exception);
                if (error.code() != ErrorCode::memory || attempt >= options_.retries || !shrink(job)) throw error;
                note(job, {{"event", "retry"}, {"error", error.what()}, {"decode", run_.decode.method}});
                context_.log.warn(job.files.volume.string() + ": " + error.what() + "; again, with less memory");
            }
        }
    }

    // One Generation serves all seeds of a cell.
    void prepare(const Job& job) {
        if (cell_ != job.run) {
            cell_ = job.run;
            run_ = *job.run;
            if (run_.runtime.threads == 0) run_.runtime.threads = options_.threads;
            generation_.reset();
        }
        if (generation_) return;
        const std::size_t before = store_->loads();
        const auto start = Clock::now();
        generation_ = std::make_shared<Generation>(run_, std::vector<OutputFiles>(), run_context_,
                                                   options_.beyond_training, store_);
        if (store_->loads() == before) return;
        journals_.at(folder_of(job))->add({{"event", "load"}, {"seconds", seconds_since(start)}});
        context_.log.info("loaded a model");
    }

    // Frees what other runs keep and chooses a decoding that needs less; false where there is none.
    bool shrink(const Job& job) {
        background_.wait();
        store_->keep_only(generation_ ? &generation_->model() : nullptr);
        ops::release_waiting_memory();
        if (run_.mask.only) return false;
        DecodeOptions decode{run_.decode.method, run_.decode.roi, run_.decode.overlap, run_.decode.mode};
        if (generation_) decode = generation_->decode();
        generation_.reset();
        const auto shape = latent_shape(run_.network.autoencoder, run_.network.diffusion_unet,
                                        {job.work->size[0], job.work->size[1], job.work->size[2]});
        const auto smaller =
            smaller_decode(decode, AutoencoderKl(run_.network.autoencoder), {shape[2], shape[3], shape[4]});
        if (!smaller) return false;
        run_.decode.method = smaller->method;
        run_.decode.roi = smaller->roi;
        run_.decode.overlap = smaller->overlap;
        run_.decode.mode = smaller->mode;
        return true;
    }

    // In the background. A full disk may have room again after a moment.
    void write(const Job& job, const MadeVolume& made, const Generation& generation, double seconds) {
        for (std::int64_t attempt = 0;; ++attempt) {
            try {
                check_there(job);
                check_files_inside(options_.root, files_of(job.files));
                if (!claims_.holds(job.files.volume)) return lose(job);
                const auto start = Clock::now();
                generation.write(made);
                return finish(job, made, seconds, seconds_since(start));
            } catch (const std::exception& exception) {
                const Error error = as_error(exception);
                if (error.code() != ErrorCode::io || attempt >= options_.retries || stopped()) {
                    claims_.release(job.files.volume);
                    fail(job, error);
                    return;
                }
                note(job, {{"event", "retry"}, {"error", error.what()}});
                std::this_thread::sleep_for(std::chrono::milliseconds(500) * (attempt + 1));
            }
        }
    }

    // This process stood still for so long that another one took the run over.
    void lose(const Job& job) {
        note(job, {{"event", "interrupted"}, {"error", "another process took over"}});
        claims_.release(job.files.volume);
        const std::lock_guard<std::mutex> guard(mutex_);
        ++result_.elsewhere;
    }

    void finish(const Job& job, const MadeVolume& made, double seconds, double write_seconds) {
        std::size_t peak = 0;
        for (const StageRecord& stage : made.record.stages) peak = std::max(peak, stage.peak_memory);
        note(job, {{"event", "done"},
                   {"seed", job.files.seed},
                   {"seconds", seconds},
                   {"write_seconds", write_seconds},
                   {"peak_memory_bytes", peak},
                   {"kind", job.work->kind},
                   {"work", work_units(*job.work)}});
        claims_.release(job.files.volume);
        const std::lock_guard<std::mutex> guard(mutex_);
        result_.made.push_back(job.files.volume);
        const std::size_t over = result_.made.size() + result_.found + result_.elsewhere + result_.failed.size();
        context_.log.info("[" + std::to_string(over) + "/" + std::to_string(all_) + "] " + job.files.volume.string() +
                          "  " + short_number(std::round(seconds * 100) / 100) + " s");
    }

    void note(const Job& job, JournalEvent event, bool (Journal::*add)(JournalEvent) = &Journal::add) {
        const auto journal = journals_.find(folder_of(job));
        if (journal == journals_.end()) return;
        event["id"] = job.id;
        event["volume"] = job.files.volume.filename().string();
        if (!((*journal->second).*add)(event) && !told_journal_.exchange(true))
            context_.log.warn("the journal in '" + folder_of(job).string() +
                              "' cannot be written; the batch goes on, since the records of the volumes count");
    }

    bool fail(const Job& job, const Error& error) {
        if (error.code() == ErrorCode::cancelled) return true;
        note(job, {{"event", "failed"}, {"code", exit_status(error.code())}, {"error", error.what()}});
        add_failed(job, error);
        return true;
    }

    void add_failed(const Job& job, const Error& error) {
        const std::lock_guard<std::mutex> guard(mutex_);
        const std::string name = job.files.volume.empty() ? job.label : job.files.volume.string();
        if (is_gone_) result_.gone = error.what();
        result_.failed.push_back({job.number, name, error});
        context_.log.warn(name + ": " + error.what());
    }

    const RunnerOptions& options_;
    std::shared_ptr<ModelStore> store_;
    Context& context_;
    Log run_log_;  // single runs: only what is worth a warning
    Context run_context_;
    std::size_t all_ = 0;

    std::set<fs::path> folders_;
    std::map<fs::path, std::unique_ptr<Journal>> journals_;
    std::map<fs::path, Error> unusable_;
    std::map<std::string, std::string> failures_;  // of other processes, by id
    std::set<std::string> waited_for_;
    std::size_t told_waiting_ = 0;
    std::atomic<bool> told_journal_{false};
    std::atomic<bool> is_gone_{false};
    Claims claims_;

    std::shared_ptr<const RunConfig> cell_;
    RunConfig run_;
    std::shared_ptr<Generation> generation_;

    std::mutex mutex_;  // of the result
    BatchResult result_;
    Background background_;  // last, so that its thread ends first
};

}  // namespace

BatchResult run_batch(const std::vector<const Job*>& jobs, const RunnerOptions& options,
                      const std::shared_ptr<ModelStore>& store, Context& context) {
    return Runner(options, store, context).run(jobs);
}

}  // namespace voldiff

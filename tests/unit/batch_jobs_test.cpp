#include "app/batch/jobs.h"

#include "app/batch/confine.h"
#include "app/batch/forecast.h"
#include "app/batch/made.h"
#include "app/batch/rehearsal.h"
#include "app/batch/slurm.h"
#include "app/batch/workers.h"
#include "app/recorded_run.h"
#include "core/decode/decode_planner.h"
#include "core/networks/autoencoder_kl.h"
#include "core/networks/probe.h"
#include "io/file.h"
#include "io/run_identity.h"
#include "tests/config_helpers.h"

#include <sstream>

namespace voldiff {

namespace {

class BatchJobs : public ConfigFolder {
  protected:
    std::vector<Job> jobs_of(const std::string& text) {
        BatchSettings settings;
        settings.root = folder;
        ModelStore store;
        return plan_jobs(read_batch_file(write("jobs.yaml", text)), settings, store);
    }

    static std::string id_of(const std::vector<Override>& overrides, std::int64_t seed = 0) {
        FileHashes hashes;
        return RunIdentity(load_run_config({std::string(PROJECT_ROOT) + "/configs/demo.yaml", overrides, {}}), hashes)
            .of(seed);
    }
};

const std::string small = "image.size: [32, 32, 32], sampling.steps: 1";

}  // namespace

TEST_F(BatchJobs, HaveNamesThatTellThemApart) {
    const auto jobs = jobs_of("runs: [{config: demo.yaml, seeds: 0..1, matrix: {image.modality: [ct, mri_t1]}, set: {" +
                              small + "}}]");
    ASSERT_EQ(jobs.size(), 4U);
    EXPECT_EQ(jobs[1].files.volume, folder / "output/demo_ct_seed1.nii.gz");
    EXPECT_EQ(jobs[2].files.volume, folder / "output/demo_mri_t1_seed0.nii.gz");
    EXPECT_EQ(jobs[2].number, 3U);
    EXPECT_NE(jobs[0].id, jobs[2].id);
    EXPECT_NE(jobs[0].id, jobs[1].id);
    EXPECT_FALSE(jobs[0].problem.has_value());
    EXPECT_EQ(jobs[0].work->size, (std::vector<std::int64_t>{32, 32, 32}));
    EXPECT_EQ(jobs[0].run, jobs[1].run) << "seeds share a config";
}

TEST_F(BatchJobs, TakeMatrixValuesInNames) {
    const auto jobs = jobs_of("runs: [{config: demo.yaml, matrix: {image.modality: [ct]}, set: {" + small +
                              ", output.name: \"x_{image.modality}_{seed}\"}}]");
    EXPECT_EQ(jobs.at(0).files.volume, folder / "output/x_ct_0.nii.gz");
}

TEST_F(BatchJobs, MustNotShareFiles) {
    const std::string text = message_of(ErrorCode::config, [&] {
        jobs_of("runs:\n- {config: demo.yaml, seeds: 0..3}\n- {config: demo.yaml, seeds: 3..4}\n");
    });
    expect_contains(text, "jobs.yaml:3:3: this run would write");
    expect_contains(text, "as that of " + (folder / "jobs.yaml").string() + ":2:3 does");
}

TEST_F(BatchJobs, KeepTheirProblemsToThemselves) {
    const auto jobs = jobs_of(
        "runs:\n- {config: absent.yaml}\n- {config: demo.yaml, set: {image.size: [31, 32, 32]}}\n"
        "- {config: demo.yaml, set: {sampling.stepz: 1}}\n- {config: demo.yaml, seeds: 7}\n"
        "- {config: demo.yaml, set: {output.directory: ..}}\n");
    ASSERT_EQ(jobs.size(), 5U);
    EXPECT_EQ(jobs[0].problem.value().code(), ErrorCode::io);
    expect_contains(jobs[1].problem.value().what(), "multiples of 32");
    expect_contains(jobs[2].problem.value().what(), "jobs.yaml:4:45: unknown key 'sampling.stepz'");
    EXPECT_FALSE(jobs[3].problem.has_value());
    expect_contains(jobs[4].problem.value().what(), "which is outside");
}

TEST_F(BatchJobs, AreKnownByWhatDecidesTheirVoxels) {
    const std::string id = id_of({});
    EXPECT_EQ(id.size(), 64U);
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{{"output.directory", "elsewhere"},
                                                                                     {"output.name", "x"},
                                                                                     {"runtime.threads", "3"},
                                                                                     {"sampling.seed", "9"},
                                                                                     {"sampling.count", "9"},
                                                                                     {"runtime.memory_limit", "1000"},
                                                                                     {"output.preview", "false"}})
        EXPECT_EQ(id_of({{key, value, "--set"}}), id) << key << " changes nothing";
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
             {"sampling.steps", "29"},
             {"image.spacing", "[5, 6, 6]"},
             {"output.dtype", "float32"},
             {"runtime.precision", "bfloat16"},
             {"decode.method", "sliding_window"},
             {"image.modality", "mri_t1"},
             {"weights.autoencoder", std::string(PROJECT_ROOT) + "/configs/demo_model/diff_unet.safetensors"}})
        EXPECT_NE(id_of({{key, value, "--set"}}), id) << key << " changes the volume";
    EXPECT_NE(id_of({}, 1), id);
    const auto copy = folder / "copy.safetensors";
    std::filesystem::copy(std::string(PROJECT_ROOT) + "/configs/demo_model/autoencoder.safetensors", copy);
    EXPECT_EQ(id_of({{"weights.autoencoder", copy.string(), "--set"}}), id) << "the same weights elsewhere";
}

TEST_F(BatchJobs, AreMadeWhereTheRecordAndTheFilesAgree) {
    auto jobs = jobs_of("runs: [{config: demo.yaml, seeds: 0, set: {" + small + ", output.preview: false}}]");
    const Job& job = jobs.at(0);
    EXPECT_EQ(why_not_made(job, false), "not made");
    write("output/demo_seed0.nii.gz", "bytes");
    EXPECT_EQ(why_not_made(job, false), "not made") << "a volume without a record is none";
    const auto record = [&](const std::string& id, int bytes) {
        write("output/demo_seed0.json",
              R"({"config_hash": ")" + id + R"(", "files": [{"file": "demo_seed0.nii.gz", "bytes": )" +
                  std::to_string(bytes) + R"(, "sha256": ")" + sha256_of_bytes("bytes") + "\"}]}");
    };
    record(job.id, 5);
    EXPECT_EQ(why_not_made(job, true), "");
    record(job.id, 6);
    expect_contains(why_not_made(job, false), "has 5 bytes, expected 6");
    record("other", 5);
    EXPECT_EQ(why_not_made(job, false), "made from other options or weights");
    record(job.id, 5);
    write("output/demo_seed0.nii.gz", "BYTES");
    EXPECT_EQ(why_not_made(job, false), "");
    expect_contains(why_not_made(job, true), "is not what was written");
    for (const char* text : {"", "[]", "{", "{\"config_hash\": 3}", "null"}) {
        write("output/demo_seed0.json", text);
        EXPECT_NE(why_not_made(job, true), "") << text;
    }
}

TEST(SmallerDecode, EndsAndNeedsLessEachTime) {
    AutoencoderKlConfig config;
    config.num_channels = {32, 64, 64};
    config.attention_levels = {false, false, false};
    config.num_res_blocks = PerLevel(1);
    const AutoencoderKl autoencoder(config);
    const Extents latent{64, 64, 32};
    const auto memory = [&](const DecodeOptions& options) {
        return predict_decode(autoencoder, latent, options).bytes;
    };
    DecodeOptions options;
    options.method = "whole";
    options.mode = decode_modes().front().name;
    double last = memory(options);
    int steps = 0;
    for (auto next = smaller_decode(options, autoencoder, latent); next;
         next = smaller_decode(*next, autoencoder, latent)) {
        EXPECT_LT(memory(*next), 0.71 * last);
        last = memory(*next);
        ASSERT_LT(++steps, 100);
    }
    EXPECT_GT(steps, 2);
}

TEST(Confine, KnowsInsideFromOutside) {
    namespace fs = std::filesystem;
    EXPECT_EQ(folder_inside(".", "a/b"), fs::path("a/b"));
    EXPECT_EQ(folder_inside("/tmp", "/tmp/a"), fs::path("/tmp/a"));
    EXPECT_EQ(folder_inside("/tmp/", ""), fs::path("/tmp/"));
    for (const char* text : {"..", "a/../..", "/etc", "../tmpx", "/tmpx"})
        expect_contains(message_of(ErrorCode::config, [&] { folder_inside("/tmp", text); }), "is outside '/tmp'");
}

TEST(Slurm, ScriptsQuoteEverything) {
    EXPECT_EQ(shell_word("a b"), "'a b'");
    EXPECT_EQ(shell_word("it's $(x)"), "'it'\\''s $(x)'");
    EXPECT_EQ(slurm_time(0), "0-00:01:00");
    EXPECT_EQ(slurm_time(93780), "1-02:03:00");
    SlurmJob job;
    job.name = "x; rm -rf /\n#SBATCH --wrap=y";
    job.arguments = {"/bin/voldiff", "batch", "a; b\n.yaml"};
    job.tasks = 4;
    job.cores = 2;
    job.memory = 1e9;
    job.seconds = 3600;
    const std::string script = slurm_script(job);
    expect_contains(script, "#SBATCH --job-name=x__rm_-rf____SBATCH_--wrap_y\n#SBATCH --array=0-3\n");
    expect_contains(script,
                    "#SBATCH --cpus-per-task=2\n#SBATCH --mem=954M\n#SBATCH --time=0-01:00:00\n#SBATCH --requeue\n");
    expect_contains(script, "'/bin/voldiff' 'batch' 'a; b\n.yaml' --shard \"$SLURM_ARRAY_TASK_ID/4\"");
}

TEST(Workers, ShareTheCores) {
    EXPECT_EQ(cores_of_worker({0, 1, 2, 3}, 1, 2), (std::vector<int>{2, 3}));
    EXPECT_EQ(cores_of_worker({0, 1, 2, 3, 4}, 0, 2), (std::vector<int>{0, 1}));
    EXPECT_EQ(cores_of_worker({0, 1, 2, 3, 4}, 1, 2), (std::vector<int>{2, 3, 4}));
    EXPECT_EQ(cores_of_worker({5}, 2, 4), (std::vector<int>{5}));
}

TEST(Forecasts, PreferWhatWasMeasured) {
    Work work;
    work.kind = "k";
    work.latent_voxels = 100;
    work.steps = 10;
    work.parameters = 10;
    EXPECT_EQ(Forecaster(std::vector<JournalEvent>()).of(work).source, "unknown");
    const JournalEvent other{
        {"event", "done"}, {"kind", "o"}, {"seconds", 3.0}, {"work", 1000.0}, {"peak_memory_bytes", 7}};
    const std::vector<JournalEvent> others{other};
    const Forecast scaled = Forecaster(others).of(work);
    EXPECT_EQ(scaled.source, "scaled");
    EXPECT_DOUBLE_EQ(scaled.seconds, 30);
    const Forecast tried = Forecaster(others, {{"k", {4, 5}}}).of(work);
    EXPECT_EQ(tried.source, "tried");
    EXPECT_DOUBLE_EQ(tried.seconds, 4);
    EXPECT_DOUBLE_EQ(tried.memory, 5);
    JournalEvent same = other;
    same["kind"] = "k";
    same["seconds"] = 8;
    const Forecaster both(std::vector<JournalEvent>{other, same}, {{"k", {4, 5}}});
    EXPECT_EQ(both.of(work).source, "measured");
    EXPECT_DOUBLE_EQ(both.of(work).seconds, 8);
    EXPECT_DOUBLE_EQ(both.of(work).memory, 7);
    EXPECT_EQ(both.measured(), (std::set<std::string>{"k", "o"}));
}

TEST(Rehearsals, TakeTheLargestLatentThatIsAffordable) {
    const auto volume = [](const Extents& e) { return static_cast<double>(e[0] * e[1] * e[2]); };
    EXPECT_EQ(affordable_extents({16, 16, 16}, 8, 4096, volume), (Extents{16, 16, 16}));
    EXPECT_EQ(affordable_extents({128, 64, 48}, 8, 40000, volume), (Extents{32, 32, 24}));
    EXPECT_EQ(affordable_extents({24, 8, 8}, 8, 1, volume), (Extents{8, 8, 8})) << "no smaller one";
}

TEST(Rehearsals, KnowHowWorkGrows) {
    const DiffusionUnetConfig unet;
    const double once = unet_work(unet, {16, 16, 16});
    EXPECT_GT(unet_work(unet, {32, 16, 16}), 2 * once) << "attention grows with the square";
    EXPECT_LT(unet_work(unet, {32, 16, 16}), 4 * once);
}

using Records = ConfigFolder;

TEST_F(Records, AreToldFromOtherConfigs) {
    EXPECT_FALSE(read_recorded_run(write("a.yaml", "{")).has_value());
    EXPECT_FALSE(read_recorded_run(write("a.json", "{")).has_value());
    EXPECT_FALSE(read_recorded_run(write("b.json", "{\"config\": {}}")).has_value());
    const auto old = read_recorded_run(write("c.json", "{\"voldiff\": \"0\", \"config\": {}, \"image\": 3}"));
    ASSERT_TRUE(old.has_value());
    EXPECT_EQ(old->voxels_sha256, "");
}

TEST_F(Records, WriteOnlyWhereTheyMay) {
    const auto record = read_recorded_run(write("away/x.json", "{\"voldiff\": \"0\", \"config\": {}}"));
    RunConfig run;
    run.mask.only = true;  // no weights to look for
    run.output.name = "x";
    run.output.directory = (folder / "away").string();
    EXPECT_NO_THROW(confine(*record, run, false, false));
    EXPECT_EQ(run.output.name, "x");
    write("away/x.nii.gz", "");
    confine(*record, run, false, false);
    EXPECT_EQ(run.output.name, "x_repeat");
    for (const char* place : {"/", "..", "/etc"}) {
        run.output.directory = place;
        expect_contains(message_of(ErrorCode::config, [&] { confine(*record, run, false, false); }),
                        "neither its own folder nor below the working directory");
        EXPECT_NO_THROW(confine(*record, run, true, false)) << "where the command line says so";
    }
}

}  // namespace voldiff

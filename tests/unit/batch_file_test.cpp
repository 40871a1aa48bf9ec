#include "app/batch/batch_file.h"

#include "app/batch/csv.h"
#include "app/batch/file_pattern.h"
#include "app/batch/shard.h"
#include "io/config/print.h"
#include "tests/config_helpers.h"

namespace voldiff {

namespace {

class BatchFile : public ConfigFolder {
  protected:
    void SetUp() override {
        ConfigFolder::SetUp();
        write("demo.yaml", "");
    }

    std::vector<Cell> cells_of(const std::string& text) { return read_batch_file(write("jobs.yaml", text)); }
    std::string problem_of(const std::string& text) {
        return message_of(ErrorCode::config, [&] { cells_of(text); });
    }

    // "image.modality=ct sampling.steps=2"
    static std::string settings_of(const Cell& cell) {
        std::string text;
        for (const Override& each : cell.settings)
            text += (text.empty() ? "" : " ") + each.path + "=" + to_flow_yaml(*each.node);
        return text;
    }
};

}  // namespace

TEST_F(BatchFile, ExpandsTheFirstKeySlowest) {
    const auto cells = cells_of("runs:\n- {config: demo.yaml, matrix: {a: [1, 2], b: [p, q]}, seeds: 3..5}\n");
    ASSERT_EQ(cells.size(), 4U);
    EXPECT_EQ(settings_of(cells[0]), "a=1 b=p");
    EXPECT_EQ(settings_of(cells[1]), "a=1 b=q");
    EXPECT_EQ(settings_of(cells[2]), "a=2 b=p");
    EXPECT_EQ(settings_of(cells[3]), "a=2 b=q");
    EXPECT_EQ(cells[3].seeds, (std::vector<std::int64_t>{3, 4, 5}));
    EXPECT_EQ(name_part(cells[1]), "_1_q");
    EXPECT_EQ(cells[0].config, folder / "demo.yaml");
}

TEST_F(BatchFile, PutsAMatrixOverSet) {
    const auto cells = cells_of("runs:\n- {config: demo.yaml, set: {a: 0, c: 9}, matrix: {a: [1]}}\n");
    EXPECT_EQ(settings_of(cells.at(0)), "a=0 c=9 a=1");
    EXPECT_TRUE(cells[0].seeds.empty()) << "the config's own";
}

TEST_F(BatchFile, FindsFilesByPatternInOrder) {
    for (const char* name : {"masks/b.nii.gz", "masks/a.nii.gz", "masks/.hidden.nii.gz", "masks/c.txt"})
        write(name, "");
    const auto cells = cells_of("runs: [{config: demo.yaml, matrix: {mask.file: masks/*.nii.gz}}]");
    ASSERT_EQ(cells.size(), 2U);
    EXPECT_EQ(cells[0].settings[0].node->text, (folder / "masks/a.nii.gz").string());
    EXPECT_EQ(name_part(cells[1]), "_b");
    expect_contains(message_of(ErrorCode::config, [&] { matching_files(folder / "*/a.nii.gz"); }),
                    "in the name of a folder");
    expect_contains(message_of(ErrorCode::io, [&] { matching_files(folder / "masks/*.nrrd"); }), "no file fits");
}

TEST_F(BatchFile, TakesRowsOfATable) {
    write("rows.csv", "seed,image.size,output.name\r\n7,\"[64, 64, 32]\",first\n\n0..1,,second\n");
    const auto cells = cells_of("runs: [{csv: rows.csv, config: demo.yaml, set: {sampling.steps: 2}}]");
    ASSERT_EQ(cells.size(), 2U);
    EXPECT_EQ(settings_of(cells[0]), "sampling.steps=2 image.size=[64, 64, 32] output.name=first");
    EXPECT_EQ(cells[0].labels.size(), 1U) << "the output's name is no label";
    EXPECT_EQ(name_part(cells[0]), "_64x64x32");
    EXPECT_EQ(settings_of(cells[1]), "sampling.steps=2 output.name=second") << "an empty cell sets nothing";
    EXPECT_EQ(cells[1].seeds, (std::vector<std::int64_t>{0, 1}));
    EXPECT_EQ(cells[1].place, (folder / "rows.csv").string() + ":4:1");

    const auto alone = read_batch_file(write("alone.csv", "config,seed\ndemo.yaml,1\ndemo.yaml,2\n"));
    ASSERT_EQ(alone.size(), 2U);
    EXPECT_EQ(alone[1].config, folder / "demo.yaml");
}

TEST_F(BatchFile, TellsAllMistakesWithTheirPlaces) {
    const std::string text = problem_of(
        "runs:\n"
        "- {config: demo.yaml, seed: 1}\n"
        "- {seeds: 5..1}\n"
        "- {config: demo.yaml, matrix: {image.size: 64}}\n"
        "- 7\n"
        "more: 1\n");
    expect_contains(text, "jobs.yaml:2:23: unknown key 'seed' of a run; did you mean 'seeds'?");
    expect_contains(text, "jobs.yaml:3:11: 'seeds' is '5..1', which ends before it begins");
    expect_contains(text, "'image.size' of a matrix is 64, expected a list of values");
    expect_contains(text, "jobs.yaml:5:3: a run is 7, expected a map with 'config'");
    expect_contains(text, "jobs.yaml:6:1: unknown key 'more', expected 'runs'");
    expect_contains(problem_of("a: 1"), "expected 'runs'");
    expect_contains(problem_of("runs: []"), "expected 'runs'");
    expect_contains(problem_of("runs: [{seeds: 1}]"), "a run without 'config'");
}

TEST_F(BatchFile, HasALimit) {
    std::string list = "[0";
    for (int i = 1; i < 400; ++i) list += ", " + std::to_string(i);
    const std::string matrix = "{a: " + list + "], b: " + list + "]}";
    expect_contains(problem_of("runs: [{config: demo.yaml, matrix: " + matrix + "}]"), "more than 100000 runs");
}

TEST_F(BatchFile, HasSafeNames) {
    EXPECT_EQ(label_of(make_scalar("../../etc/passwd")), "passwd");
    EXPECT_EQ(label_of(make_scalar("a b/$(c)")), "--c-");
    EXPECT_EQ(label_of(make_scalar("1.5")), "1.5");
    EXPECT_EQ(label_of(make_scalar(std::string(1000, 'x'))).size(), 40U);
    Cell cell;
    for (int i = 0; i < 10; ++i) cell.labels.emplace_back("k", std::string(30, 'y'));
    EXPECT_EQ(name_part(cell).size(), 100U);
}

TEST(Csv, KnowsQuotes) {
    const auto rows = parse_csv(
        "\xEF\xBB\xBF"
        "a,\"b, \"\"c\"\"\nd\",\r\n",
        "t.csv");
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].cells, (std::vector<std::string>{"a", "b, \"c\"\nd", ""}));
    expect_contains(message_of(ErrorCode::config, [] { parse_csv("a\n\"b", "t.csv"); }),
                    "t.csv:2: a quote is left open");
    expect_contains(message_of(ErrorCode::config, [] { parse_csv("a\"b", "t.csv"); }), "within a cell");
    expect_contains(message_of(ErrorCode::config, [] { parse_csv("\"a\"b", "t.csv"); }), "follows the quote");
}

TEST(Shards, CoverABatchOnce) {
    const std::vector<Job> jobs(10);
    std::size_t count = 0;
    for (const char* text : {"0/3", "1/3", "2/3"}) count += jobs_of(jobs, parse_shard(text)).size();
    EXPECT_EQ(count, 10U);
    EXPECT_EQ(jobs_of(jobs, parse_shard("2/3")).front(), &jobs[2]);
    for (const char* text : {"", "1", "3/3", "-1/3", "0/0", "1/a", "a/2", "0/3/1", "0/999999999"})
        expect_contains(message_of(ErrorCode::usage, [&] { parse_shard(text); }), "expected one of n parts");
}

TEST(Shards, ComeFromSlurm) {
    const auto set = [](const char* id, const char* least, const char* most, const char* step) {
        ::setenv("SLURM_ARRAY_TASK_ID", id, 1);
        ::setenv("SLURM_ARRAY_TASK_MIN", least, 1);
        ::setenv("SLURM_ARRAY_TASK_MAX", most, 1);
        ::setenv("SLURM_ARRAY_TASK_STEP", step, 1);
    };
    set("5", "1", "9", "2");
    EXPECT_EQ(slurm_shard().index, 2U);
    EXPECT_EQ(slurm_shard().count, 5U);
    set("7", "1", "3", "1");
    expect_contains(message_of(ErrorCode::usage, [] { slurm_shard(); }), "no task of an array");
    for (const char* name : {"ID", "MIN", "MAX", "STEP"}) ::unsetenv((std::string("SLURM_ARRAY_TASK_") + name).c_str());
    EXPECT_EQ(slurm_shard().count, 1U);
}

}  // namespace voldiff

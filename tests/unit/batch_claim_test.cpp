#include "app/batch/claim.h"

#include "app/batch/history.h"
#include "app/batch/journal.h"
#include "io/file.h"
#include "tests/config_helpers.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace voldiff {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class BatchClaims : public ConfigFolder {
  protected:
    std::filesystem::path volume() const { return folder / "a.nii.gz"; }
    bool exists(int generation) const { return std::filesystem::exists(claim_path(volume(), generation)); }
    // A claim of a process of another host, of which nothing is known.
    void write_foreign(int generation, const std::string& beat) const {
        std::ofstream(claim_path(volume(), generation))
            << R"({"host":"far","process":1,"machine":"m","token":"t"})" << beat;
    }
};

}  // namespace

TEST_F(BatchClaims, BelongToOneAndEnd) {
    Claims first(seconds(60)), second(seconds(60));
    EXPECT_TRUE(first.take(volume()));
    EXPECT_TRUE(first.holds(volume()));
    write_foreign(0, "1");  // as if it were of a process elsewhere, since both are this one
    EXPECT_FALSE(second.take(volume()));
    EXPECT_FALSE(first.holds(volume())) << "it is no longer its own";
    first.release(volume());
    EXPECT_TRUE(exists(0)) << "nobody removes the claim of another";
}

TEST_F(BatchClaims, AreRemovedWhenReleased) {
    {
        Claims claims(seconds(60));
        EXPECT_TRUE(claims.take(volume()));
        EXPECT_FALSE(claims.overtook(volume()));
        claims.release(volume());
        EXPECT_FALSE(exists(0));
        EXPECT_TRUE(claims.take(volume()));
    }
    EXPECT_FALSE(exists(0));
}

TEST_F(BatchClaims, AreTakenOverAfterTheHeartbeatStopped) {
    Claims claims(seconds(60));
    const auto start = Claims::Clock::now();
    write_foreign(0, "1");
    EXPECT_FALSE(claims.take(volume(), start));
    EXPECT_FALSE(claims.take(volume(), start + seconds(59)));
    write_foreign(0, "2");
    EXPECT_FALSE(claims.take(volume(), start + seconds(61))) << "it was alive";
    EXPECT_FALSE(claims.take(volume(), start + seconds(120)));
    EXPECT_TRUE(claims.take(volume(), start + seconds(121)));
    EXPECT_TRUE(claims.overtook(volume()));
    EXPECT_TRUE(exists(1));
    claims.release(volume());
    EXPECT_FALSE(exists(0));
    EXPECT_FALSE(exists(1));
}

TEST_F(BatchClaims, DoNotDependOnTheTimesOfFiles) {
    Claims claims(seconds(60));
    write_foreign(0, "1");
    for (const int years : {-30, 30}) {
        const auto moved = std::filesystem::file_time_type::clock::now() + std::chrono::hours(24 * 365 * years);
        std::filesystem::last_write_time(claim_path(volume(), 0), moved);
        EXPECT_FALSE(claims.take(volume())) << years;
    }
}

TEST_F(BatchClaims, OfADeadProcessOfThisMachineAreTakenAtOnce) {
    const pid_t child = ::fork();
    if (child == 0) {
        Claims* claims = new Claims(seconds(60));  // never released
        claims->take(volume());
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    ASSERT_TRUE(exists(0));
    Claims claims(seconds(60));
    EXPECT_TRUE(claims.take(volume()));
    EXPECT_TRUE(claims.holds(volume()));
}

TEST_F(BatchClaims, ThatAreEmptyOrNonsenseGoStaleToo) {
    Claims claims(seconds(60));
    const auto start = Claims::Clock::now();
    for (const char* text : {"", "{", "[]", "{\"machine\": 7}"}) {
        std::ofstream(claim_path(volume(), 0)) << text;
        EXPECT_FALSE(claims.take(volume(), start)) << text;
        EXPECT_TRUE(claims.take(volume(), start + seconds(61))) << text;
        claims.release(volume());
    }
}

TEST_F(BatchClaims, OfAHigherGenerationWin) {
    Claims claims(seconds(60));
    ASSERT_TRUE(claims.take(volume()));
    write_foreign(1, "1");
    EXPECT_FALSE(claims.holds(volume()));
    claims.release(volume());
    EXPECT_TRUE(exists(1));
    std::filesystem::remove(claim_path(volume(), 0));
    EXPECT_FALSE(claims.take(volume())) << "a hole below is no free place";
}

TEST_F(BatchClaims, HaveAHeartbeat) {
    Claims claims(milliseconds(60));
    ASSERT_TRUE(claims.take(volume()));
    const std::string before = read_claim(volume());
    for (int i = 0; i < 200 && read_claim(volume()) == before; ++i) std::this_thread::sleep_for(milliseconds(10));
    EXPECT_NE(read_claim(volume()), before);
    EXPECT_EQ(read_claim(volume()).size(), before.size());
}

// Processes, since a claim of this process that it does not hold is one of an earlier process.
TEST_F(BatchClaims, GoToOneOfManyThatComeAtOnce) {
    std::size_t taken = 0;
    for (int round = 0; round < 20; ++round) {
        write_foreign(0, "1");
        const auto start = Claims::Clock::now();
        std::array<int, 2> answers{}, go{};
        ASSERT_EQ(::pipe(answers.data()), 0);
        ASSERT_EQ(::pipe(go.data()), 0);
        std::vector<pid_t> children;
        for (int i = 0; i < 4; ++i) {
            children.push_back(::fork());
            if (children.back() != 0) continue;
            Claims claims(seconds(60));
            claims.take(volume(), start);
            char ready = 'r';
            if (::write(answers[1], &ready, 1) != 1 || ::read(go[0], &ready, 1) != 1) ::_exit(1);
            const char answer = claims.take(volume(), start + seconds(61)) ? '1' : '0';
            if (::write(answers[1], &answer, 1) == 1) ::pause();  // alive, and in possession
            ::_exit(0);
        }
        std::string got(4, ' ');
        for (char& c : got) ASSERT_EQ(::read(answers[0], &c, 1), 1);  // all have seen the dead one's
        ASSERT_EQ(::write(go[1], "gggg", 4), 4);
        for (char& c : got) ASSERT_EQ(::read(answers[0], &c, 1), 1);
        for (const pid_t child : children) ::kill(child, SIGKILL);
        for (const pid_t child : children) ::waitpid(child, nullptr, 0);
        for (const int end : {answers[0], answers[1], go[0], go[1]}) ::close(end);
        const auto owners = std::count(got.begin(), got.end(), '1');
        EXPECT_LE(owners, 1) << got;
        taken += static_cast<std::size_t>(owners);
        for (int i = 0; i < 6; ++i) std::filesystem::remove(claim_path(volume(), i));
    }
    EXPECT_GT(taken, 10U) << "mostly it is somebody's";
}

TEST_F(BatchClaims, AreNoLinks) {
    write("target", "keep");
    std::filesystem::create_symlink(folder / "target", claim_path(volume(), 0));
    Claims claims(seconds(60));
    expect_contains(message_of(ErrorCode::io, [&] { claims.take(volume()); }), "is a symbolic link");
    EXPECT_EQ(read_text(folder / "target"), "keep");
}

using BatchJournal = ConfigFolder;

TEST_F(BatchJournal, GrowsLineByLine) {
    Journal journal(folder / "night"), other(folder / "night");
    EXPECT_TRUE(journal.add_soon({{"event", "start"}, {"id", "a"}}));
    EXPECT_TRUE(other.add({{"event", "done"}, {"id", "a"}, {"seconds", 1.5}}));
    const auto events = read_journal(journal_path(folder / "night"));
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(text_of(events[0], "host"), host_name());
    EXPECT_EQ(number_of(events[1], "seconds"), 1.5);
    EXPECT_EQ(journal.news().size(), 2U);
    EXPECT_EQ(journal.news().size(), 0U);
}

TEST_F(BatchJournal, SurvivesALineCutShort) {
    write("batch.jsonl", "{\"event\": \"start\", \"id\"");
    Journal journal(folder);
    EXPECT_TRUE(journal.add({{"event", "done"}, {"id", "b"}}));
    const auto events = read_journal(folder / "batch.jsonl");
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(text_of(events[0], "id"), "b");
}

TEST_F(BatchJournal, LeavesOutNonsense) {
    write("batch.jsonl", "\n[]\n{}\n{\"event\": 3}\nnull\n{\"event\":\"done\",\"id\":7,\"seconds\":\"x\"}\n\xff\xfe\n");
    const auto events = read_journal(folder / "batch.jsonl");
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(text_of(events[0], "id"), "");
    EXPECT_EQ(number_of(events[0], "seconds"), 0);
    EXPECT_TRUE(read_journal(folder / "none.jsonl").empty());
}

TEST_F(BatchJournal, LeavesOutLinesThatNobodyWrote) {
    const std::string event = "{\"event\": \"done\", \"id\": \"a\"}\n";
    const std::string file =
        write("batch.jsonl", event + std::string(3 << 20, '[') + "\n" + event + "{\"event\": \"cut");
    std::uint64_t offset = 0;
    EXPECT_EQ(read_journal(file, offset).size(), 2U);
    EXPECT_EQ(offset, 2 * event.size() + (3 << 20) + 1) << "behind the last whole line";
    EXPECT_TRUE(read_journal(folder).empty());
    EXPECT_TRUE(read_journal("/dev/zero").empty());
}

TEST_F(BatchJournal, TellsWhatFailedLast) {
    const std::vector<JournalEvent> events{
        JournalEvent{{"event", "failed"}, {"id", "a"}, {"code", 5}, {"error", "old"}},
        JournalEvent{{"event", "done"}, {"id", "a"}},
        JournalEvent{{"event", "failed"}, {"id", "b"}, {"code", 1e300}, {"error", "\x1B[2Jred"}}};
    const auto failures = failures_of(events);
    ASSERT_EQ(failures.size(), 1U);
    EXPECT_EQ(failures.at("b").code(), ErrorCode::internal);
    EXPECT_STREQ(failures.at("b").what(), "?[2Jred");
}

TEST_F(BatchJournal, NoticesThatItsFolderIsGone) {
    Journal journal(folder / "night");
    EXPECT_TRUE(journal.still_there());
    std::filesystem::rename(folder / "night", folder / "moved");
    EXPECT_FALSE(journal.still_there());
    Journal another(folder / "night");
    EXPECT_FALSE(journal.still_there()) << "another file of that name is not this one";
}

TEST_F(BatchJournal, IsNoLink) {
    write("target", "");
    std::filesystem::create_symlink(folder / "target", folder / "batch.jsonl");
    expect_contains(message_of(ErrorCode::io, [&] { Journal journal(folder); }), "cannot write the journal");
}

TEST_F(BatchJournal, IsNoPipe) {
    ASSERT_EQ(::mkfifo((folder / "batch.jsonl").c_str(), 0600), 0);
    expect_contains(message_of(ErrorCode::io, [&] { Journal journal(folder); }), "it is not a plain file");
    EXPECT_TRUE(read_journal(folder / "batch.jsonl").empty());
}

TEST_F(BatchJournal, TellsWhichRunsEndedAProcess) {
    const auto event = [](const char* what, const char* id) { return JournalEvent{{"event", what}, {"id", id}}; };
    const auto starts =
        unfinished_starts({event("start", "a"), event("start", "a"), event("start", "b"), event("done", "b"),
                           event("start", "c"), event("failed", "c"), event("start", "c")});
    EXPECT_EQ(starts.at("a"), 2U);
    EXPECT_EQ(starts.count("b"), 0U);
    EXPECT_EQ(starts.at("c"), 1U);
}

}  // namespace voldiff

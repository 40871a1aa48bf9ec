#include "io/file.h"

#include "core/error.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>
#include <iterator>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
  protected:
    void SetUp() override {
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::size_t count() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
    }
    void expect_io_error(const std::function<void()>& action, const std::string& part) {
        try {
            action();
            FAIL() << "did not throw";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::io);
            EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
        }
    }

    fs::path folder_ = fs::temp_directory_path() / "voldiff_file_test";
};

}  // namespace

TEST_F(Files, AppearOnlyOnCommit) {
    AtomicFile file(folder_ / "a.txt");
    EXPECT_FALSE(fs::exists(folder_ / "a.txt"));
    std::ofstream(file.temporary()) << "whole";
    file.commit();
    EXPECT_EQ(read_text(folder_ / "a.txt"), "whole");
    EXPECT_EQ(count(), 1U);
}

TEST_F(Files, AreRemovedWithoutCommit) {
    {
        const AtomicFile file(folder_ / "a.txt");
        EXPECT_EQ(count(), 1U);
    }
    EXPECT_EQ(count(), 0U);
}

TEST_F(Files, KeepTheOldContentWithoutCommit) {
    write_text(folder_ / "a.txt", "old");
    { const AtomicFile file(folder_ / "a.txt"); }
    EXPECT_EQ(read_text(folder_ / "a.txt"), "old");
}

TEST_F(Files, HaveATemporaryNameThatEndsInTheRealExtension) {
    const AtomicFile file(folder_ / "scan.1.nii.gz");
    const std::string name = file.temporary().filename().string();
    EXPECT_EQ(name.substr(0, 16), ".scan.1.partial-");
    EXPECT_EQ(name.substr(name.size() - 7), ".nii.gz");
    EXPECT_EQ(file.temporary().parent_path(), fs::canonical(folder_));
}

TEST_F(Files, MayHaveTheLongestNames) {
    const fs::path path = folder_ / (std::string(251, 'n') + ".txt");
    write_text(path, "x");
    EXPECT_EQ(read_text(path), "x");
}

TEST_F(Files, FollowLinks) {
    write_text(folder_ / "real.txt", "old");
    fs::create_symlink("real.txt", folder_ / "link.txt");
    write_text(folder_ / "link.txt", "new");
    EXPECT_TRUE(fs::is_symlink(folder_ / "link.txt"));
    EXPECT_EQ(read_text(folder_ / "real.txt"), "new");
}

TEST_F(Files, AreRefusedWhereTheyCannotBe) {
    expect_io_error([&] { write_text(folder_ / "none/a.txt", ""); }, "No such file or directory");
    expect_io_error([&] { write_text(folder_, ""); }, "Is a directory");
    expect_io_error([&] { write_text("/dev/null", ""); },
                    "cannot write '/dev/null': it exists and is not a plain file");
    write_text(folder_ / "plain", "");
    expect_io_error([&] { write_text(folder_ / "plain/a.txt", ""); }, "Not a directory");
}

TEST_F(Files, AreRefusedForReading) {
    expect_io_error([&] { read_text(folder_ / "none"); }, "No such file or directory");
    expect_io_error([&] { read_text(folder_); }, "Is a directory");
    write_text(folder_ / "big", std::string(100, 'x'));
    expect_io_error([&] { read_text(folder_ / "big", 99); }, "larger than 99 bytes");
    EXPECT_EQ(read_text(folder_ / "big", 100).size(), 100U);
    ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
    expect_io_error([&] { read_text(folder_ / "pipe"); }, "it is not a plain file");  // instead of waiting for a writer
    expect_io_error([&] { read_text("/dev/zero"); }, "it is not a plain file");
}

TEST(Extension, TakesNiftisAsOne) {
    EXPECT_EQ(extension("a/b.c.nii.gz"), ".nii.gz");
    EXPECT_EQ(extension("b.NII.GZ"), ".nii.gz");
    EXPECT_EQ(extension("b.nii"), ".nii");
    EXPECT_EQ(extension("folder.d/none"), "");
    EXPECT_EQ(extension("b.gz"), ".gz");
}

}  // namespace voldiff

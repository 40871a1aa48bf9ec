// Files that are not what they claim, and places that cannot be written.
#include "core/error.h"
#include "io/file.h"
#include "io/volume/preview.h"
#include "io/volume/volume.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

class HostileVolume : public ::testing::Test {
  protected:
    void SetUp() override {
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        write_volume(folder_ / "good.nii", good());
        nifti_ = read_text(folder_ / "good.nii");
    }
    void TearDown() override { fs::remove_all(folder_); }

    static Volume good() {
        return {at::arange(12 * 10 * 8, at::kInt).to(at::kShort).view({12, 10, 8}), diagonal_affine({1.5, 1.5, 2})};
    }

    static void expect_error(const std::function<void()>& action, ErrorCode code, const std::string& part) {
        try {
            action();
            FAIL() << "did not throw; expected: " << part;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), code) << error.what();
            EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
                << error.what() << "\nexpected: " << part;
        }
    }
    void expect_unreadable(const std::string& name, const std::string& bytes, const std::string& part) {
        SCOPED_TRACE(name + ": " + part);
        std::ofstream(folder_ / name, std::ios::binary) << bytes;
        expect_error([&] { read_volume(folder_ / name); }, ErrorCode::io, part);
    }
    // The good file with a number of its header changed.
    template <typename Value>
    std::string with(std::size_t offset, std::vector<Value> values) const {
        std::string bytes = nifti_;
        std::memcpy(bytes.data() + offset, values.data(), values.size() * sizeof(Value));
        return bytes;
    }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
    }

    fs::path folder_ = fs::temp_directory_path() / "voldiff_hostile_volumes";
    std::string nifti_;
};

using Shorts = std::vector<std::int16_t>;
using Floats = std::vector<float>;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

std::string nrrd(const std::string& sizes, const std::string& rest = "encoding: raw\n") {
    return "NRRD0004\ntype: short\ndimension: 3\nsizes: " + sizes + "\nendian: little\n" + rest + "\n" +
           std::string(100, '\0');
}

std::string mha(const std::string& size, const std::string& rest = "") {
    return "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n" + rest +
           "DimSize = " + size + "\nElementSpacing = 1 1 1\nElementType = MET_SHORT\nElementDataFile = LOCAL\n" +
           std::string(100, '\0');
}

}  // namespace

TEST_F(HostileVolume, CutShort) {
    expect_unreadable("a.nii", nifti_.substr(0, nifti_.size() - 1), "its voxels end early, expected 2272 bytes");
    expect_unreadable("a.nii", nifti_.substr(0, 300), "found no header of 348 bytes");
    write_volume(folder_ / "good.nii.gz", good());
    const std::string packed = read_text(folder_ / "good.nii.gz");
    expect_unreadable("a.nii.gz", packed.substr(0, packed.size() / 2), "is the download incomplete?");
    expect_unreadable("a.nii.gz", packed.substr(0, packed.size() - 4), "its gzip stream is broken");
    expect_unreadable("a.nii.gz", packed.substr(0, 20), "found no header of 348 bytes");
    expect_unreadable("a.nrrd", nrrd("10 10 10"), "cannot read");
    expect_unreadable("a.mha", mha("10 10 10"), "expected 2000 bytes of voxels, found 100");
    write_volume(folder_ / "good.mha", good());
    const std::string metaimage = read_text(folder_ / "good.mha");
    expect_unreadable("a.mha", metaimage.substr(0, metaimage.size() - 10), "bytes of voxels, found");
    std::string broken = metaimage;
    broken.replace(broken.size() - 200, 100, 100, '\xff');
    expect_unreadable("a.mha", broken, "its compressed voxels are broken");
}

TEST_F(HostileVolume, ClaimsMoreThanItHolds) {
    const std::string huge = with<std::int16_t>(42, {20000, 20000, 20000});
    expect_unreadable("a.nii", huge, "claims 20000 x 20000 x 20000 voxels, more than its 2272 bytes can hold");
    expect_unreadable("a.nrrd", nrrd("99999 99999 99999"), "claims 99999 x 99999 x 99999 voxels");
    expect_unreadable("a.nrrd", nrrd("4294967296 4294967296 4294967296"), "too large");
    expect_unreadable("a.mha", mha("99999 99999 99999"), "claims 99999 x 99999 x 99999 voxels");
    expect_error([&] { read_volume_info(folder_ / "a.mha"); }, ErrorCode::io, "claims");
}

TEST_F(HostileVolume, HasNoSensibleSize) {
    expect_unreadable("a.nii", with<std::int16_t>(42, {-5}), "an axis has -5 voxels");
    expect_unreadable("a.nii", with<std::int16_t>(42, {0}), "an axis has 0 voxels");
    expect_unreadable("a.nii", with<std::int16_t>(40, {9}), "it has 9 dimensions");
    expect_unreadable("a.nii", with<std::int16_t>(40, {-3}), "it has -3 dimensions");
    expect_unreadable("a.nrrd", nrrd("-1 10 10"), "cannot read");
    expect_unreadable("a.mha", mha("-10 10 10"), "claims");
}

TEST_F(HostileVolume, IsNotThreeDimensional) {
    expect_unreadable("a.nii", with<std::int16_t>(40, {2}), "expected three dimensions, found 12 x 10");
    expect_unreadable("a.nii", with<std::int16_t>(40, {4, 12, 5, 8, 2}),
                      "expected three dimensions, found 12 x 5 x 8 x 2");
}

TEST_F(HostileVolume, HasVoxelsOfAnotherKind) {
    expect_unreadable("a.nii", with<std::int16_t>(70, {128}),
                      "expected one integer or float a voxel, found NIfTI data type 128");
    expect_unreadable("a.nii", with<std::int16_t>(70, {32}), "data type 32");
    expect_unreadable("a.nii", with<std::int16_t>(70, {999}), "data type 999");
}

TEST_F(HostileVolume, HasNoSensibleGeometry) {
    expect_unreadable("a.nii", with<float>(280, {nan}), "the affine holds NaN or infinity");
    expect_unreadable("a.nii", with<float>(280, Floats(12, 0)), "singular");
    expect_unreadable("a.nii", with<float>(80, {nan}), "the affine holds NaN or infinity");
    expect_unreadable("a.nii", with<float>(256, {nan}), "the affine holds NaN or infinity");
    expect_unreadable("a.nii", with<float>(108, {nan}), "voxels start at byte nan");
    expect_unreadable("a.nii", with<float>(108, {-100}), "voxels start at byte -100");
    expect_unreadable("a.nii", with<float>(108, {5000}), "its voxels end early, expected 6920 bytes");
    expect_unreadable("a.nrrd",
                      nrrd("5 5 2",
                           "encoding: raw\nspace: left-posterior-superior\nspace directions: "
                           "(nan,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\n"),
                      "cannot read");
    expect_unreadable("a.mha", mha("5 5 2", "TransformMatrix = nan 0 0 0 1 0 0 0 1\n"), "cannot read");
    expect_unreadable("a.mha", mha("5 5 2", "TransformMatrix = 0 0 0 0 0 0 0 0 0\n"), "singular");
}

TEST_F(HostileVolume, PointsAtAnotherFile) {
    std::string elsewhere = mha("5 5 2");
    elsewhere.replace(elsewhere.find("LOCAL"), 5, "/etc/passwd");
    expect_unreadable("a.mha", elsewhere, "expected 'ElementDataFile = LOCAL'");
}

TEST_F(HostileVolume, IsSomethingElse) {
    const std::string text(400, 'x');
    expect_unreadable("a.nii", text, "found something else");
    expect_unreadable("a.nii.gz", text, "found something else");
    expect_unreadable("a.nrrd", text, "its content is not that of a .nrrd file");
    expect_unreadable("a.mha", text, "its content is not that of a .mha file");
    expect_unreadable("a.nii", with<char>(344, {'x', 'x', 'x'}), "expected a NIfTI-1 image");
    for (const std::string& format : volume_formats()) expect_unreadable("empty" + format, "", "it is empty");
}

TEST_F(HostileVolume, IsNoFile) {
    expect_error([&] { read_volume(folder_ / "none.nii.gz"); }, ErrorCode::io, "there is no such file");
    fs::create_directories(folder_ / "folder.nii.gz");
    expect_error([&] { read_volume(folder_ / "folder.nii.gz"); }, ErrorCode::io, "it is a folder");
    expect_error([&] { read_volume(folder_ / "scan.dcm"); }, ErrorCode::config,
                 "expected one of .nii.gz, .nii, .nrrd, .mha, found '.dcm'");
    fs::create_symlink("/dev/zero", folder_ / "device.nii");
    expect_error([&] { read_volume(folder_ / "device.nii"); }, ErrorCode::io, "it is not a plain file");
}

TEST_F(HostileVolume, CannotBeWrittenThere) {
    expect_error([&] { write_volume(folder_ / "none/a.nii.gz", good()); }, ErrorCode::io, "No such file or directory");
    fs::create_directories(folder_ / "folder.nii");
    expect_error([&] { write_volume(folder_ / "folder.nii", good()); }, ErrorCode::io, "Is a directory");
    expect_error([&] { write_volume(folder_ / "a.mhd", good()); }, ErrorCode::config, "found '.mhd'");
    expect_error([&] { write_preview(folder_ / "none/a.png", good(), soft_tissue_window); }, ErrorCode::io,
                 "No such file or directory");
    if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
    fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
    expect_error([&] { write_volume(folder_ / "a.nii", good()); }, ErrorCode::io, "Permission denied");
    fs::permissions(folder_, fs::perms::owner_all);
}

TEST_F(HostileVolume, CannotBeWrittenAsItIs) {
    Volume volume = good();
    volume.affine[0][1] = 0.6;
    expect_error([&] { write_volume(folder_ / "a.nii", volume); }, ErrorCode::io, "the affine has shear");
    volume.affine = diagonal_affine({0, 1, 1});
    expect_error([&] { write_volume(folder_ / "a.nii", volume); }, ErrorCode::io, "an axis of no length");
    volume.affine = diagonal_affine({nan, 1, 1});
    expect_error([&] { write_volume(folder_ / "a.nii", volume); }, ErrorCode::io, "an axis of no length");
    volume.affine = diagonal_affine({1, 1, 1});
    volume.affine[1][3] = nan;
    expect_error([&] { write_volume(folder_ / "a.nii", volume); }, ErrorCode::io, "origin");
    volume = good();
    volume.voxels = volume.voxels.to(at::kHalf);
    expect_error([&] { write_volume(folder_ / "a.nii", volume); }, ErrorCode::io, "expected one of uint8, int16");
    EXPECT_EQ(files(), 1U) << "only good.nii: nothing unfinished stays";
}

// A limit on the size of files stands in for a full disk.
TEST_F(HostileVolume, DoesNotFitOnTheDisk) {
    const at::Tensor noise = at::rand({20, 20, 20}, at::kFloat);  // does not compress
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{4096, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (const std::string& format : volume_formats()) {
        SCOPED_TRACE(format);
        expect_error(
            [&] {
                write_volume(folder_ / ("a" + format), {noise, diagonal_affine({1, 1, 1})});
            },
            ErrorCode::io, "cannot write");
        EXPECT_EQ(files(), 1U) << "only good.nii: nothing unfinished stays";
    }
    expect_error([&] { write_text(folder_ / "a.json", std::string(10000, 'x')); }, ErrorCode::io, "cannot write");
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    EXPECT_EQ(files(), 1U);
}

}  // namespace voldiff

#include "io/volume/volume.h"

#include "core/error.h"
#include "io/volume/orientation.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

const Affine oblique = {{{1.4252573251724243, -0.36641016602516174, -0.7388005256652832, -50.5},
                         {0.7111871242523193, 0.7105894088745117, -0.4744901657104492, 20.25},
                         {0.5940155982971191, 0.02839437685906887, 2.340733528137207, 33.0},
                         {0, 0, 0, 1}}};

class VolumeFile : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
        folder_ = fs::temp_directory_path() / (std::string("voldiff_volume_") + test->name());
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }
    fs::path file(const std::string& name) const { return folder_ / name; }

    fs::path folder_;
};

// Voxel (i, j, k) is 100 i + 10 j + k - 500, as in tests/data/volumes.
at::Tensor counted(at::ScalarType type = at::kShort) {
    const at::Tensor i = at::arange(12, at::kInt).view({12, 1, 1});
    const at::Tensor j = at::arange(10, at::kInt).view({1, 10, 1});
    const at::Tensor k = at::arange(8, at::kInt).view({1, 1, 8});
    return (i * 100 + j * 10 + k - 500).to(type);
}

void expect_near(const Affine& found, const Affine& expected, double relative) {
    for (std::size_t row = 0; row < 4; ++row)
        for (std::size_t column = 0; column < 4; ++column)
            EXPECT_NEAR(found[row][column], expected[row][column], relative * std::abs(expected[row][column]) + 1e-7)
                << "row " << row << ", column " << column;
}

template <typename Value>
Value value_at(const std::string& bytes, std::size_t offset) {
    Value value{};
    std::memcpy(&value, bytes.data() + offset, sizeof(Value));
    return value;
}

std::string bytes_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST(ReadVolume, GivesWhatNibabelGives) {
    const Volume volume = read_volume(fs::path(TEST_DATA) / "volumes/oblique.nii.gz");
    EXPECT_EQ(volume.voxels.scalar_type(), at::kShort);
    EXPECT_TRUE(volume.voxels.is_contiguous());
    EXPECT_TRUE(at::equal(volume.voxels, counted()));
    expect_near(volume.affine, oblique, 0);
}

TEST(ReadVolumeInfo, GivesTheGeometryWithoutVoxels) {
    const VolumeInfo info = read_volume_info(fs::path(TEST_DATA) / "volumes/oblique.nii.gz");
    EXPECT_EQ(info.size, (std::array<std::int64_t, 3>{12, 10, 8}));
    EXPECT_EQ(info.dtype, "int16");
    EXPECT_NEAR(info.spacing[0], 1.7, 1e-6);
    EXPECT_NEAR(info.spacing[1], 0.8, 1e-6);
    EXPECT_NEAR(info.spacing[2], 2.5, 1e-6);
    expect_near(info.affine, oblique, 0);
}

TEST(DiagonalAffine, HasSpacingAndZeroOrigin) {
    const Affine expected = {{{1.7, 0, 0, 0}, {0, 1.8, 0, 0}, {0, 0, 2, 0}, {0, 0, 0, 1}}};
    EXPECT_EQ(diagonal_affine({1.7, 1.8, 2}), expected);
    EXPECT_EQ(spacing_of(expected), (std::array<double, 3>{1.7, 1.8, 2}));
}

TEST(VolumeFormats, AreKnownByExtension) {
    for (const std::string& name : volume_formats()) EXPECT_TRUE(is_volume_format(name)) << name;
    EXPECT_FALSE(is_volume_format(".gz"));
    EXPECT_FALSE(is_volume_format(".mhd"));
    EXPECT_NO_THROW(check_volume_format("folder.d/a.b.NII.GZ"));
}

TEST_F(VolumeFile, RoundTripsEveryFormatAndType) {
    for (const std::string& format : volume_formats()) {
        for (const auto type : {at::kByte, at::kShort, at::kInt, at::kFloat, at::kDouble}) {
            SCOPED_TRACE(format + " " + at::toString(type));
            const at::Tensor voxels = type == at::kByte ? counted().remainder(256).to(type) : counted(type);
            write_volume(file("v" + format), {voxels, oblique});
            const Volume back = read_volume(file("v" + format));
            EXPECT_EQ(back.voxels.scalar_type(), type);
            EXPECT_TRUE(at::equal(back.voxels, voxels));
            expect_near(back.affine, oblique, 2e-7);  // a float32 twice
        }
    }
}

TEST_F(VolumeFile, KeepsNanAndInfinity) {
    at::Tensor voxels = at::zeros({3, 2, 2}, at::kFloat);
    voxels[0][0][0] = NAN;
    voxels[2][1][0] = INFINITY;
    for (const std::string& format : volume_formats()) {
        write_volume(file("v" + format), {voxels, diagonal_affine({1, 1, 1})});
        const at::Tensor back = read_volume(file("v" + format)).voxels;
        EXPECT_TRUE(at::equal(at::isnan(back), at::isnan(voxels))) << format;
        EXPECT_EQ(back[2][1][0].item<float>(), INFINITY) << format;
    }
}

TEST_F(VolumeFile, WritesVoxelsThatAreNotContiguous) {
    const at::Tensor voxels = counted().permute({2, 0, 1}).slice(1, 0, 12, 2);
    write_volume(file("v.nii.gz"), {voxels, diagonal_affine({1, 1, 1})});
    EXPECT_TRUE(at::equal(read_volume(file("v.nii.gz")).voxels, voxels));
}

TEST_F(VolumeFile, WritesTheHeaderOfTheReference) {
    write_volume(file("v.nii"), {counted(), diagonal_affine({1.7, 1.8, 2})});
    const std::string bytes = bytes_of(file("v.nii"));
    ASSERT_EQ(bytes.size(), 352 + 2 * 12 * 10 * 8U);
    EXPECT_EQ(bytes.substr(344, 4), std::string("n+1\0", 4));
    EXPECT_EQ(value_at<std::int16_t>(bytes, 40), 3) << "dim[0]";
    EXPECT_EQ(value_at<std::int16_t>(bytes, 42), 12) << "dim[1]";
    EXPECT_EQ(value_at<std::int16_t>(bytes, 46), 8) << "dim[3]";
    EXPECT_EQ(value_at<std::int16_t>(bytes, 70), 4) << "datatype int16";
    EXPECT_EQ(value_at<std::int16_t>(bytes, 72), 16) << "bitpix";
    EXPECT_EQ(value_at<float>(bytes, 80), 1.7F) << "pixdim[1]";
    EXPECT_EQ(value_at<float>(bytes, 112), 1.0F) << "scl_slope";
    EXPECT_EQ(value_at<float>(bytes, 116), 0.0F) << "scl_inter";
    EXPECT_EQ(value_at<char>(bytes, 123) & 7, 2) << "xyzt_units mm";
    EXPECT_GT(value_at<std::int16_t>(bytes, 254), 0) << "sform_code";
    const std::array<float, 12> srow = {1.7F, 0, 0, 0, 0, 1.8F, 0, 0, 0, 0, 2, 0};
    for (std::size_t i = 0; i < srow.size(); ++i)
        EXPECT_EQ(value_at<float>(bytes, 280 + 4 * i), srow.at(i)) << "srow number " << i;
    EXPECT_EQ(value_at<std::int16_t>(bytes, 352), -500) << "voxel (0, 0, 0)";
    EXPECT_EQ(value_at<std::int16_t>(bytes, 354), -400) << "voxel (1, 0, 0): x is fastest";
}

TEST_F(VolumeFile, WritesFloat32AsDatatype16) {
    write_volume(file("v.nii"), {counted(at::kFloat), oblique});
    const std::string bytes = bytes_of(file("v.nii"));
    EXPECT_EQ(value_at<std::int16_t>(bytes, 70), 16);
    for (std::size_t row = 0; row < 3; ++row)
        for (std::size_t column = 0; column < 4; ++column)
            EXPECT_NEAR(value_at<float>(bytes, 280 + 16 * row + 4 * column), oblique[row][column], 1.2e-7);
}

TEST_F(VolumeFile, PrefersTheSformAsNibabelDoes) {
    write_volume(file("v.nii"), {counted(), diagonal_affine({1, 1, 1})});
    std::string bytes = bytes_of(file("v.nii"));
    const float shifted = 7.5F;
    std::memcpy(bytes.data() + 280 + 12, &shifted, sizeof(shifted));  // srow_x[3]; the qform stays
    std::ofstream(file("v.nii"), std::ios::binary) << bytes;
    EXPECT_EQ(read_volume(file("v.nii")).affine[0][3], 7.5);
}

TEST_F(VolumeFile, CentresAnImageWithoutForms) {
    write_volume(file("v.nii"), {counted(), diagonal_affine({2, 3, 4})});
    std::string bytes = bytes_of(file("v.nii"));
    bytes.replace(252, 4, 4, '\0');  // qform_code and sform_code
    std::ofstream(file("v.nii"), std::ios::binary) << bytes;
    const Affine expected = {{{-2, 0, 0, 11}, {0, 3, 0, -13.5}, {0, 0, 4, -14}, {0, 0, 0, 1}}};
    EXPECT_EQ(read_volume(file("v.nii")).affine, expected);
}

TEST_F(VolumeFile, AppliesSlopeAndIntercept) {
    write_volume(file("v.nii"), {counted(), diagonal_affine({1, 1, 1})});
    std::string bytes = bytes_of(file("v.nii"));
    const std::array<float, 2> scale = {0.5F, 10.0F};
    std::memcpy(bytes.data() + 112, scale.data(), sizeof(scale));
    std::ofstream(file("v.nii"), std::ios::binary) << bytes;
    EXPECT_TRUE(at::equal(read_volume(file("v.nii")).voxels, counted(at::kFloat) * 0.5 + 10));
}

TEST_F(VolumeFile, ReadsUnsignedTypesThatLibTorchLacks) {
    write_volume(file("v.nii"), {counted(), diagonal_affine({1, 1, 1})});
    std::string bytes = bytes_of(file("v.nii"));
    const std::int16_t uint16 = 512;
    std::memcpy(bytes.data() + 70, &uint16, sizeof(uint16));
    std::ofstream(file("v.nii"), std::ios::binary) << bytes;
    EXPECT_EQ(read_volume_info(file("v.nii")).dtype, "uint16");
    const at::Tensor voxels = read_volume(file("v.nii")).voxels;
    EXPECT_EQ(voxels.scalar_type(), at::kInt);
    EXPECT_EQ(voxels[0][0][0].item<int>(), 65536 - 500);
    EXPECT_EQ(voxels[11][9][7].item<int>(), 697);
}

TEST_F(VolumeFile, LeavesNothingBesideTheVolume) {
    write_volume(file("v.nii.gz"), {counted(), oblique});
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename().string());
    EXPECT_EQ(names, std::vector<std::string>{"v.nii.gz"});
}

TEST(Orientation, NamesTheEndsOfTheAxes) {
    EXPECT_EQ(orientation_code(diagonal_affine({1, 2, 3})), "RAS");
    EXPECT_EQ(orientation_code(diagonal_affine({-1, -2, 3})), "LPS");
    EXPECT_EQ(orientation_code(oblique), "RAS");
    EXPECT_EQ(orientation_code({{{0, 0, 2, 1}, {1.5, 0, 0, 2}, {0, -1.2, 0, 3}, {0, 0, 0, 1}}}), "AIR");
}

TEST(Orientation, TurnsVoxelsAndAffineTogether) {
    const Volume turned{counted(), {{{0, 0, 2, 1}, {1.5, 0, 0, 2}, {0, -1.2, 0, 3}, {0, 0, 0, 1}}}};  // AIR
    const Volume ras = to_ras(turned);
    EXPECT_EQ(orientation_code(ras.affine), "RAS");
    ASSERT_EQ(ras.voxels.sizes().vec(), (std::vector<std::int64_t>{8, 12, 10}));
    // Voxel (i, j, k) of the input is voxel (k, i, 9 - j) of the output, at the same place.
    EXPECT_EQ(ras.voxels[5][3][9 - 2].item<int>(), turned.voxels[3][2][5].item<int>());
    EXPECT_NEAR(ras.affine[0][0] * 5 + ras.affine[0][3], 2 * 5 + 1, 1e-12);
    EXPECT_NEAR(ras.affine[1][1] * 3 + ras.affine[1][3], 1.5 * 3 + 2, 1e-12);
    EXPECT_NEAR(ras.affine[2][2] * 7 + ras.affine[2][3], -1.2 * 2 + 3, 1e-12);
}

TEST(Orientation, LeavesRasAsItIs) {
    const Volume ras = to_ras({counted(), oblique});
    EXPECT_TRUE(at::equal(ras.voxels, counted()));
    EXPECT_EQ(ras.affine, oblique);
}

TEST(LargestShift, IsFoundAtACorner) {
    const Affine a = diagonal_affine({1, 1, 1});
    EXPECT_EQ(largest_shift(a, a, {10, 10, 10}), 0);
    EXPECT_NEAR(largest_shift(a, diagonal_affine({1.1, 1, 1}), {11, 5, 5}), 1, 1e-12) << "ten steps of 0.1 mm";
    Affine moved = a;
    moved[0][3] = 3;
    moved[2][3] = -4;
    EXPECT_DOUBLE_EQ(largest_shift(a, moved, {1, 1, 1}), 5);
}

}  // namespace voldiff

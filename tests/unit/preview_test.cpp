#include "io/volume/preview.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <vector>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

// A cube of 65 voxels at 4 mm, shown on the fewest rows, 256: black but for what is right and anterior.
Volume marked(const Affine& affine) {
    at::Tensor voxels = at::full({65, 65, 65}, -1000, at::kShort);
    voxels.slice(0, 45, 65).slice(1, 45, 65).fill_(1000);  // right and anterior, all heights
    return {voxels, affine};
}

double mean(const at::Tensor& picture, std::int64_t top, std::int64_t left, std::int64_t size) {
    return picture.narrow(0, top, size).narrow(1, left, size).to(at::kDouble).mean().item<double>();
}

}  // namespace

TEST(Preview, ShowsThePatientsRightOnTheLeftAndAnteriorUp) {
    const at::Tensor picture = render_preview(marked(diagonal_affine({4, 4, 4})), soft_tissue_window);
    const std::int64_t side = picture.size(0);
    EXPECT_EQ(picture.scalar_type(), at::kByte);
    EXPECT_EQ(picture.size(1), 3 * side + 16) << "three squares and two gaps";
    EXPECT_EQ(mean(picture, 0, 0, 50), 255) << "axial: right and anterior is top left";
    EXPECT_EQ(mean(picture, 0, side - 50, 50), 0) << "axial: left and anterior";
    EXPECT_EQ(mean(picture, side - 50, 0, 50), 0) << "axial: right and posterior";
}

TEST(Preview, ShowsTheHeadUp) {
    at::Tensor voxels = at::full({65, 65, 65}, -1000, at::kShort);
    voxels.slice(2, 45, 65).fill_(1000);  // superior
    const at::Tensor picture = render_preview({voxels, diagonal_affine({4, 4, 4})}, soft_tissue_window);
    const std::int64_t side = picture.size(0);
    for (const std::int64_t left : {side + 8, 2 * side + 16}) {
        EXPECT_EQ(mean(picture, 0, left, 50), 255);
        EXPECT_EQ(mean(picture, side - 50, left, 50), 0);
    }
}

TEST(Preview, ShowsAnteriorOnTheLeftOfTheSagittalPlane) {
    at::Tensor voxels = at::full({65, 65, 65}, -1000, at::kShort);
    voxels.slice(1, 45, 65).fill_(1000);  // anterior
    const at::Tensor picture = render_preview({voxels, diagonal_affine({4, 4, 4})}, soft_tissue_window);
    const std::int64_t side = picture.size(0);
    EXPECT_EQ(mean(picture, 0, 2 * side + 16, 50), 255);
    EXPECT_EQ(mean(picture, 0, 3 * side + 16 - 50, 50), 0);
}

TEST(Preview, LooksTheSameFromAnyAxisOrder) {
    const Volume ras = marked(diagonal_affine({4, 4, 4}));
    const Volume lps{ras.voxels.flip({0, 1}), {{{-4, 0, 0, 256}, {0, -4, 0, 256}, {0, 0, 4, 0}, {0, 0, 0, 1}}}};
    EXPECT_TRUE(at::equal(render_preview(ras, soft_tissue_window), render_preview(lps, soft_tissue_window)));
}

TEST(Preview, HasEqualMillimetresInAllPlanes) {
    const Volume flat{at::zeros({300, 300, 60}, at::kFloat), diagonal_affine({1, 1, 5})};
    const at::Tensor picture = render_preview(flat, soft_tissue_window);
    EXPECT_EQ(picture.size(0), 300);
    EXPECT_EQ(picture.size(1), 300 + 8 + 300 + 8 + 300) << "60 slices of 5 mm are 300 mm too";
}

TEST(Preview, MapsTheWindowToGrey) {
    at::Tensor voxels = at::full({300, 300, 300}, -160, at::kFloat);  // black: 40 - 200
    EXPECT_EQ(render_preview({voxels, diagonal_affine({1, 1, 1})}, soft_tissue_window).max().item<int>(), 0);
    voxels.fill_(240);
    EXPECT_EQ(mean(render_preview({voxels, diagonal_affine({1, 1, 1})}, soft_tissue_window), 0, 0, 300), 255);
    voxels.fill_(40);
    EXPECT_EQ(mean(render_preview({voxels, diagonal_affine({1, 1, 1})}, soft_tissue_window), 0, 0, 300), 128);
    voxels.fill_(NAN);
    EXPECT_EQ(render_preview({voxels, diagonal_affine({1, 1, 1})}, soft_tissue_window).max().item<int>(), 0);
}

TEST(PercentileWindow, LeavesOutZeroAndWhatIsNotFinite) {
    at::Tensor voxels = at::cat({at::zeros({500}), at::arange(1, 102, at::kFloat), at::full({9}, NAN)});
    const Window window = percentile_window(voxels);  // of 1 to 101
    EXPECT_DOUBLE_EQ(window.centre, 51);
    EXPECT_DOUBLE_EQ(window.width, 98);
    EXPECT_DOUBLE_EQ(percentile_window(at::zeros({4})).width, 1) << "nothing to see, but no division by zero";
    EXPECT_DOUBLE_EQ(percentile_window(at::full({4}, 7)).centre, 7);
}

TEST(ComparisonPicture, ShowsBothAndTheirDifference) {
    const Volume a{at::full({64, 64, 64}, -160, at::kShort), diagonal_affine({4, 4, 4})};  // black
    Volume b{at::full({64, 64, 64}, 240, at::kShort), a.affine};                           // white
    b.voxels.slice(0, 0, 32).fill_(-360);  // left half of the body: the right of the axial and coronal planes
    const at::Tensor picture = render_comparison(a, b, soft_tissue_window, 200);
    EXPECT_EQ(picture.sizes(), at::IntArrayRef({3 * 256 + 2 * 8, 3 * 256 + 2 * 8, 3}));
    const auto colour = [&](std::int64_t row, std::int64_t column) {
        const at::Tensor pixel = picture[row][column];
        return std::vector<int>{pixel[0].item<int>(), pixel[1].item<int>(), pixel[2].item<int>()};
    };
    EXPECT_EQ(colour(128, 20), (std::vector<int>{0, 0, 0})) << "a";
    EXPECT_EQ(colour(264 + 128, 20), (std::vector<int>{255, 255, 255})) << "b, higher";
    EXPECT_EQ(colour(264 + 128, 236), (std::vector<int>{0, 0, 0})) << "b, lower";
    EXPECT_EQ(colour(528 + 128, 20), (std::vector<int>{255, 0, 0})) << "higher is red";
    EXPECT_EQ(colour(528 + 128, 236), (std::vector<int>{0, 0, 255})) << "lower is blue";
    EXPECT_EQ(colour(528 + 128, 260), (std::vector<int>{0, 0, 0})) << "between the planes";
    const at::Tensor equal = render_comparison(a, a, soft_tissue_window, 200);
    EXPECT_EQ(equal.slice(0, 528).slice(1, 0, 256).min().item<int>(), 255) << "no difference is white";
}

TEST(ComparisonPicture, IsWrittenInColour) {
    const fs::path file = fs::temp_directory_path() / "voldiff_comparison_test.png";
    const Volume volume = marked(diagonal_affine({4, 4, 4}));
    write_comparison(file, volume, volume, soft_tissue_window, 200);
    std::ifstream stream(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    fs::remove(file);
    ASSERT_GT(bytes.size(), 33U);
    EXPECT_EQ(bytes[24], 8) << "bits";
    EXPECT_EQ(bytes[25], 2) << "red, green, blue";
}

TEST(Preview, IsWrittenAsAGreyPng) {
    const fs::path file = fs::temp_directory_path() / "voldiff_preview_test.png";
    write_preview(file, marked(diagonal_affine({4, 4, 4})), soft_tissue_window);
    std::ifstream stream(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    fs::remove(file);
    ASSERT_GT(bytes.size(), 33U);
    EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n");
    EXPECT_EQ(bytes.substr(20, 4), std::string("\0\0\1\0", 4)) << "256 rows";
    EXPECT_EQ(bytes[24], 8) << "bits";
    EXPECT_EQ(bytes[25], 0) << "grey";
    EXPECT_EQ(bytes.substr(bytes.size() - 8, 4), "IEND");
}

TEST(Preview, RefusesAnotherExtension) {
    try {
        write_preview("picture.jpg", marked(diagonal_affine({4, 4, 4})), soft_tissue_window);
        FAIL() << "did not throw";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config);
        EXPECT_STREQ(error.what(), "a preview is a .png file, found 'picture.jpg'");
    }
}

}  // namespace voldiff

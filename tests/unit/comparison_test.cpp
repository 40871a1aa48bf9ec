// Pairs of files: what is read, refused and summed up.
#include "app/comparison.h"

#include "app/comparison_table.h"
#include "app/measures.h"
#include "tests/config_helpers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>

#include <cmath>
#include <sstream>

namespace voldiff {
namespace {

class Comparison : public ConfigFolder {
  protected:
    std::filesystem::path save(const std::string& name, const at::Tensor& voxels,
                               const Affine& affine = diagonal_affine({2, 2, 2})) {
        write_volume(folder / name, {voxels, affine});
        return folder / name;
    }
    Report compare(const std::vector<ComparedFiles>& pairs, const ComparisonSettings& settings = {}) {
        Context context{log, cancel, text};
        return compare_files(pairs, settings, context);
    }
    Report compare(const std::filesystem::path& a, const std::filesystem::path& b,
                   const ComparisonSettings& settings = {}) {
        return compare({{std::nullopt, a, b, folder / "picture.png"}}, settings)["pairs"][0];
    }

    at::Tensor ramp = at::arange(12 * 12 * 12, at::kShort).view({12, 12, 12});
    std::ostringstream text;
    Log log{text, false, false};
    Cancel cancel = Cancel::on_signals();
};

TEST_F(Comparison, DoesNotDependOnTheAxesOfTheFiles) {
    const Affine lps = {{{-2, 0, 0, 22}, {0, -2, 0, 22}, {0, 0, 2, 0}, {0, 0, 0, 1}}};
    const Report report = compare(save("ras.nii.gz", ramp), save("lps.nii.gz", ramp.flip({0, 1}), lps));
    EXPECT_EQ(report["mae"], 0);
    EXPECT_EQ(report["psnr_db"].get<double>(), INFINITY);
    EXPECT_EQ(report["ssim"], 1);
    EXPECT_NE(report.dump().find("\"psnr_db\":null"), std::string::npos) << "JSON has no infinity";
    EXPECT_TRUE(std::filesystem::is_regular_file(folder / "picture.png"));
}

TEST_F(Comparison, AllowsTheRoundingOfAGeometryAndNoMore) {
    const auto a = save("a.nii.gz", ramp);
    EXPECT_EQ(compare(a, save("b.nii.gz", ramp, diagonal_affine({2.001, 2, 2})))["mae"], 0);
    expect_contains(message_of(ErrorCode::io,
                               [&] {
                                   compare(a, save("c.nii.gz", ramp, diagonal_affine({2.1, 2, 2})));
                               }),
                    "c.nii.gz' are up to 1.1 mm away from those of");
}

TEST_F(Comparison, TakesTheRangeOfAnMrVolumeFromTheFirst) {
    const auto a = save("a.nii.gz", ramp);
    const auto b = save("b.nii.gz", ramp * 2);
    const auto flat = save("flat.nii.gz", at::full({12, 12, 12}, 5, at::kShort));
    ComparisonSettings settings;
    EXPECT_EQ(compare(a, b, settings)["data_range"], 2000);
    settings.is_mr = true;
    EXPECT_EQ(compare(a, b, settings)["data_range"], 1727);
    expect_contains(message_of(ErrorCode::config, [&] { compare(flat, a, settings); }), "--data-range");
    settings.data_range = 10;
    EXPECT_EQ(compare(flat, a, settings)["data_range"], 10);
}

TEST_F(Comparison, TakesTimesAndMemoryFromTheRecord) {
    const auto a = save("a.nii.gz", ramp);
    write("a.json", R"({"volume": "a.nii.gz", "stages": [
        {"name": "load", "seconds": 100, "peak_memory_bytes": 1048576},
        {"name": "denoise", "seconds": 2, "peak_memory_bytes": 3145728},
        {"name": "decode", "seconds": 0.5, "peak_memory_bytes": 2097152}]})");
    const auto b = save("b.nii.gz", ramp);
    write("b.json", "[1, 2");
    const Report report = compare(a, b);
    EXPECT_EQ(report["seconds_a"], 2.5) << "without loading";
    EXPECT_EQ(report["peak_memory_bytes_a"], 3145728);
    EXPECT_TRUE(report["seconds_b"].is_null()) << "no record of voldiff";
    EXPECT_TRUE(report["peak_memory_bytes_b"].is_null());
}

TEST_F(Comparison, SumsUpAllPairs) {
    const auto a = save("a.nii.gz", ramp);
    const auto b = save("b.nii.gz", ramp + 1);
    const auto c = save("c.nii.gz", ramp - 3);
    ComparisonSettings settings;
    settings.labels = read_label_map(save("labels.nii.gz", (ramp > 1000).to(at::kByte) * 7));
    const Report report = compare({{0, a, b, folder / "0.png"}, {1, a, c, folder / "1.png"}}, settings);
    EXPECT_EQ(report["summary"]["mae"], Report({{"mean", 2.0}, {"minimum", 1.0}, {"maximum", 3.0}}));
    const Report& label = report["summary"]["labels"][0];
    EXPECT_EQ(label["label"], 7);
    EXPECT_EQ(label["median_a"], 1364) << "of 1001 to 1727";
    EXPECT_EQ(label["median_b"], 1363) << "mean of 1365 and 1361";
    EXPECT_EQ(label["difference"], Report({{"mean", -1.0}, {"minimum", -3.0}, {"maximum", 1.0}}));
    std::ostringstream table;
    print_comparison(table, report);
    expect_contains(table.str(), "  1364  1363     -1       -3        1\n");
    expect_contains(table.str(), "mean       2 ");
}

TEST_F(Comparison, LeavesWhatIsNotKnownOutOfTheSummary) {
    EXPECT_TRUE(summary_of({}).is_null());
    EXPECT_EQ(summary_of({1, INFINITY})["mean"].get<double>(), INFINITY);
    Report reports = Report::array();
    for (const char* seconds : {"null", "4.0"})
        reports.push_back(Report::parse(std::string(R"({"seconds_a": )") + seconds + "}"));
    EXPECT_EQ(summarise_measures(reports)["seconds_a"]["mean"], 4);
}

TEST_F(Comparison, RefusesLabelsThatAreFractions) {
    const auto file = save("fractions.nii.gz", ramp.to(at::kFloat) * 0.5);
    expect_contains(message_of(ErrorCode::io, [&] { read_label_map(file); }), "expected whole numbers");
}

}  // namespace
}  // namespace voldiff

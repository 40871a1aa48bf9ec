#include "app/comparison.h"

#include "app/measures.h"
#include "core/error.h"
#include "core/metrics/distribution.h"
#include "core/metrics/ssim.h"
#include "io/volume/orientation.h"
#include "io/volume/preview.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>

namespace voldiff {

namespace {

constexpr double ct_data_range = 2000;  // HU, -1000 to 1000

std::array<std::int64_t, 3> size_of(const Volume& volume) {
    return {volume.voxels.size(0), volume.voxels.size(1), volume.voxels.size(2)};
}

Grid grid_of(const std::filesystem::path& file, const Volume& volume) {
    return {file.string(), size_of(volume), volume.affine};
}

Volume read_in_ras(const std::filesystem::path& file) { return to_ras(read_volume(file)); }

// As float32, which the picture and the medians are made in.
void check_finite_voxels(const std::filesystem::path& file, const at::Tensor& voxels) {
    if (!voxels.is_floating_point()) return;
    const at::Tensor finite = at::isfinite(voxels.to(at::kFloat));
    const std::int64_t bad = voxels.numel() - finite.sum().item<std::int64_t>();
    if (bad == 0) return;
    throw Error(ErrorCode::numerical, "cannot compare '" + file.string() + "': " + with_thousands(bad) + " of " +
                                          with_thousands(voxels.numel()) +
                                          " voxels are NaN, infinite or beyond float32, expected finite numbers");
}

Volume read_to_compare(const std::filesystem::path& file) {
    Volume volume = read_in_ras(file);
    check_finite_voxels(file, volume.voxels);
    return volume;
}

double data_range_of(const Volume& a, const std::filesystem::path& file, const ComparisonSettings& settings) {
    if (settings.data_range) return *settings.data_range;
    if (!settings.is_mr) return ct_data_range;
    const double range = a.voxels.max().item<double>() - a.voxels.min().item<double>();
    if (range > 0) return range;
    throw Error(ErrorCode::config, "'" + file.string() + "' has one value everywhere, so its range is 0; " +
                                       "say which values are possible with --data-range");
}

void write_picture(const ComparedFiles& files, const Volume& a, const Volume& b, const ComparisonSettings& settings) {
    const Window window = settings.is_mr ? percentile_window(a.voxels) : soft_tissue_window;
    write_comparison(files.picture, a, b, window, settings.difference_window.value_or(window.width / 2));
}

Report compare_labels(const Volume& a, const Volume& b, const LabelMap& map) {
    const auto of_a = label_medians(a.voxels, map.labels);
    const auto of_b = label_medians(b.voxels, map.labels);
    Report report = Report::array();
    for (const auto& [label, median] : of_a) {
        const double other = of_b.at(label);
        report.push_back({{"label", label}, {"median_a", median}, {"median_b", other}, {"difference", other - median}});
    }
    return report;
}

Report compare_pair(const ComparedFiles& files, const ComparisonSettings& settings, Context& context) {
    const Volume a = read_to_compare(files.a);
    const Volume b = read_to_compare(files.b);
    check_same_grid(grid_of(files.a, a), grid_of(files.b, b));
    if (settings.labels) check_same_grid(grid_of(files.a, a), settings.labels->grid);
    const VolumePair pair{a.voxels, b.voxels, data_range_of(a, files.a, settings), read_stages(files.a),
                          read_stages(files.b)};
    Report report = {{"seed", files.seed ? Report(*files.seed) : Report()},
                     {"a", files.a.string()},
                     {"b", files.b.string()},
                     {"picture", files.picture.string()},
                     {"data_range", pair.data_range}};
    report.update(measure(pair));
    if (report["ssim"].is_null()) {
        context.log.warn("no SSIM: an axis of " + files.a.string() + " is shorter than its window of " +
                         std::to_string(ssim_window) + " voxels");
    }
    if (settings.labels) report["labels"] = compare_labels(a, b, *settings.labels);
    write_picture(files, a, b, settings);
    context.log.info("wrote " + files.picture.string());
    return report;
}

// Medians as means over the pairs; all pairs have the same labels.
Report summarise_labels(const Report& pairs) {
    Report summary = Report::array();
    for (std::size_t i = 0; i < pairs.front()["labels"].size(); ++i) {
        std::map<std::string, std::vector<double>> values;
        for (const Report& pair : pairs)
            for (const char* key : {"median_a", "median_b", "difference"})
                values[key].push_back(pair["labels"][i][key].get<double>());
        summary.push_back({{"label", pairs.front()["labels"][i]["label"]},
                           {"median_a", summary_of(values["median_a"])["mean"]},
                           {"median_b", summary_of(values["median_b"])["mean"]},
                           {"difference", summary_of(values["difference"])}});
    }
    return summary;
}

}  // namespace

void check_same_grid(const Grid& a, const Grid& b) {
    if (a.size != b.size) {
        throw Error(ErrorCode::io, "'" + b.name + "' has " + join_values(b.size, " x ") + " voxels, expected " +
                                       join_values(a.size, " x ") + " as '" + a.name + "' has");
    }
    const auto spacing = spacing_of(a.affine);
    const double shift = largest_shift(a.affine, b.affine, a.size);
    if (shift <= 0.1 * *std::min_element(spacing.begin(), spacing.end())) return;
    throw Error(ErrorCode::io, "the voxels of '" + b.name + "' are up to " + short_number(shift) +
                                   " mm away from those of '" + a.name + "' (spacing " +
                                   join_values(spacing_of(b.affine), " x ") + " and " + join_values(spacing, " x ") +
                                   " mm)\nexpected volumes at the same place; resample one of them first");
}

LabelMap read_label_map(const std::filesystem::path& file) {
    const Volume volume = read_in_ras(file);
    at::Tensor labels = volume.voxels.to(at::kInt);
    if (!labels.eq(volume.voxels).all().item<bool>()) {
        throw Error(ErrorCode::io, "'" + file.string() + "' is no label map: expected whole numbers");
    }
    return {grid_of(file, volume), labels};
}

Report compare_files(const std::vector<ComparedFiles>& pairs, const ComparisonSettings& settings, Context& context) {
    Report report = {{"unit", settings.is_mr ? "" : "HU"}, {"pairs", Report::array()}};
    for (const ComparedFiles& files : pairs) {
        context.cancel.check();
        report["pairs"].push_back(compare_pair(files, settings, context));
    }
    report["summary"] = summarise_measures(report["pairs"]);
    if (settings.labels) report["summary"]["labels"] = summarise_labels(report["pairs"]);
    return report;
}

}  // namespace voldiff

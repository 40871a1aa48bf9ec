#include "app/commands/inspect.h"
#include "core/text.h"
#include "io/file.h"
#include "io/volume/orientation.h"
#include "io/volume/volume.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/isnan.h>

namespace voldiff {

namespace {

// Of the finite voxels; null where there are none, since JSON has no NaN.
Report statistics(const at::Tensor& voxels) {
    const at::Tensor finite = voxels.is_floating_point() ? voxels.masked_select(at::isfinite(voxels)) : voxels;
    const std::int64_t nan = voxels.is_floating_point() ? at::isnan(voxels).sum().item<std::int64_t>() : 0;
    Report report = {{"minimum", nullptr}, {"maximum", nullptr}, {"mean", nullptr}};
    if (finite.numel() > 0)
        report = {{"minimum", finite.min().item<double>()},
                  {"maximum", finite.max().item<double>()},
                  {"mean", finite.mean(at::kDouble).item<double>()}};
    report["nan"] = nan;
    report["infinite"] = voxels.numel() - finite.numel() - nan;
    return report;
}

Report describe(const std::filesystem::path& file) {
    const VolumeInfo info = read_volume_info(file);
    Report report = {{"size", info.size},
                     {"spacing_mm", info.spacing},
                     {"orientation", orientation_code(info.affine)},
                     {"dtype", info.dtype},
                     {"affine", info.affine}};
    report.update(statistics(read_volume(file).voxels));
    return report;
}

std::string value(const Report& number) { return number.is_null() ? "-" : short_number(number.get<double>()); }

void print(const Report& report, const InspectDetail& /*detail*/, std::ostream& out) {
    print_field(out, "size", join_values(report["size"], " x ") + " voxels");
    print_field(out, "spacing", join_values(report["spacing_mm"], " x ") + " mm");
    print_field(out, "orientation", report["orientation"]);
    print_field(out, "dtype", report["dtype"]);
    for (std::size_t row = 0; row < 3; ++row)
        print_field(out, row == 0 ? "affine" : "", join_values(report["affine"][row], "  "));
    print_field(out, "minimum", value(report["minimum"]));
    print_field(out, "maximum", value(report["maximum"]));
    print_field(out, "mean", value(report["mean"]));
    print_field(out, "NaN", with_thousands(report["nan"]));
    print_field(out, "infinite", with_thousands(report["infinite"]));
}

bool recognises(const std::filesystem::path& file) { return is_volume_format(extension(file)); }

}  // namespace

Inspector volume_inspector() { return {"volume", join(volume_formats()), recognises, describe, print}; }

}  // namespace voldiff

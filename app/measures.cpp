#include "app/measures.h"

#include "core/metrics/difference.h"
#include "core/metrics/distribution.h"
#include "core/metrics/ssim.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <numeric>

namespace voldiff {

namespace {

Report ssim_of(const VolumePair& pair) {
    const auto sizes = pair.a.sizes();
    if (*std::min_element(sizes.begin(), sizes.end()) < ssim_window) return nullptr;
    return ssim_3d(pair.a, pair.b, pair.data_range);
}

// Loading is left out: it is done once for all seeds of a side.
Report seconds_of(const std::vector<StageRecord>& stages) {
    if (stages.empty()) return nullptr;
    double seconds = 0;
    for (const StageRecord& stage : stages) seconds += stage.name == "load" ? 0 : stage.seconds;
    return seconds;
}

Report peak_memory_of(const std::vector<StageRecord>& stages) {
    std::size_t peak = 0;
    for (const StageRecord& stage : stages) peak = std::max(peak, stage.peak_memory);
    return peak == 0 ? Report() : Report(peak);  // the system may not say
}

}  // namespace

std::vector<Measure> measures(const std::string& intensity) {
    constexpr double mib = 1 << 20;
    return {
        {"mae", "MAE", intensity, 1, [](const VolumePair& p) -> Report { return mean_absolute_error(p.a, p.b); }},
        {"rmse", "RMSE", intensity, 1, [](const VolumePair& p) -> Report { return root_mean_square_error(p.a, p.b); }},
        {"psnr_db", "PSNR", "dB", 1,
         [](const VolumePair& p) -> Report { return peak_signal_to_noise_ratio(p.a, p.b, p.data_range); }},
        {"ssim", "SSIM", "", 1, ssim_of},
        {"histogram_distance", "histogram", intensity, 1,
         [](const VolumePair& p) -> Report { return histogram_distance(p.a, p.b); }},
        {"seconds_a", "time A", "s", 1, [](const VolumePair& p) { return seconds_of(p.stages_a); }},
        {"seconds_b", "time B", "s", 1, [](const VolumePair& p) { return seconds_of(p.stages_b); }},
        {"peak_memory_bytes_a", "memory A", "MiB", mib, [](const VolumePair& p) { return peak_memory_of(p.stages_a); }},
        {"peak_memory_bytes_b", "memory B", "MiB", mib, [](const VolumePair& p) { return peak_memory_of(p.stages_b); }},
    };
}

Report measure(const VolumePair& pair) {
    Report report;
    for (const Measure& each : measures("")) report[each.key] = each.of(pair);
    return report;
}

Report summary_of(const std::vector<double>& values) {
    if (values.empty()) return nullptr;
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    return {{"mean", sum / static_cast<double>(values.size())}, {"minimum", *least}, {"maximum", *most}};
}

Report summarise_measures(const Report& reports) {
    Report summary;
    for (const Measure& each : measures("")) {
        std::vector<double> values;
        for (const Report& report : reports)
            if (report[each.key].is_number()) values.push_back(report[each.key].get<double>());
        summary[each.key] = summary_of(values);
    }
    return summary;
}

}  // namespace voldiff

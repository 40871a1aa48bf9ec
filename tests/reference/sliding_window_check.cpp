// Windows, their weights, and inference in windows with a small network; plain functions.
#include "core/blocks/timestep_embedding.h"
#include "core/decode/sliding_window.h"
#include "tests/reference/checks.h"
#include "tests/reference/subject.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

namespace voldiff::reference {

namespace {

template <class Value>
std::array<Value, 3> triple(const nlohmann::json& value) {
    if (value.is_array()) return value.get<std::array<Value, 3>>();
    return {value.get<Value>(), value.get<Value>(), value.get<Value>()};
}

at::Tensor to_tensor(const std::vector<Extents>& rows) {
    at::Tensor table = at::empty({static_cast<std::int64_t>(rows.size()), 3}, at::kLong);
    auto* values = table.data_ptr<std::int64_t>();
    for (const Extents& row : rows) values = std::copy(row.begin(), row.end(), values);
    return table;
}

// What the windows of this input would be.
void compare_windows(const Case& reference, const SlidingWindowOptions& options, bool clip, Comparison& comparison) {
    const at::Tensor& x = reference.tensor("input.x");
    Extents roi = options.roi_size;
    Extents image{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::int64_t extent = x.size(static_cast<std::int64_t>(axis) + 2);
        if (clip) roi[axis] = std::min(roi[axis], extent);
        image[axis] = std::max(extent, roi[axis]);
    }
    const Extents interval = scan_interval(image, roi, options.overlap);
    if (reference.has("output.scan_interval")) {
        comparison.equal("scan_interval", to_tensor({interval})[0], reference.tensor("output.scan_interval"));
    }
    if (reference.has("output.window_starts")) {
        comparison.equal("window_starts", to_tensor(dense_patch_starts(image, roi, interval)),
                         reference.tensor("output.window_starts"));
    }
    if (reference.has("output.importance_map")) {
        comparison.equal("importance_map", importance_map(roi, options.mode, options.sigma_scale),
                         reference.tensor("output.importance_map"));
    }
}

}  // namespace

SlidingWindowOptions window_options(const nlohmann::json& inferer) {
    SlidingWindowOptions options;
    options.roi_size = triple<std::int64_t>(inferer.at("roi_size"));
    options.overlap = triple<double>(inferer.value("overlap", nlohmann::json(0.25)));
    options.mode = inferer.value("mode", "constant");
    options.sigma_scale = triple<double>(inferer.value("sigma_scale", nlohmann::json(0.125)));
    options.sw_batch_size = inferer.value("sw_batch_size", std::int64_t{1});
    return options;
}

void check_sliding_window(const Case& reference, Comparison& comparison) {
    const SlidingWindowOptions options = window_options(reference.body.at("inferer"));
    const StateDict weights = reference.weights();
    const auto factor = reference.body.at("network").at("upsample").get<std::int64_t>();
    std::int64_t calls = 0;
    const Predictor network = [&](const at::Tensor& x) {
        ++calls;
        at::Tensor y = at::conv3d(x, weights["conv.weight"], weights["conv.bias"], 1, 1);
        for (std::int64_t dim = 2; dim < 5; ++dim) y = y.repeat_interleave(factor, dim);
        return y;
    };
    const at::Tensor& x = reference.tensor("input.x");
    const bool dynamic = reference.body.at("via") == "dynamic_infer";
    const at::Tensor y = dynamic ? dynamic_infer(x, options, network) : sliding_window_inference(x, options, network);
    comparison.equal("y", y, reference.tensor("output.y"));
    if (reference.has("output.num_network_calls")) {
        comparison.equal("num_network_calls", at::full({}, calls, at::kLong),
                         reference.tensor("output.num_network_calls"));
    }
    compare_windows(reference, options, dynamic, comparison);
}

void check_window_table(const Case& reference, Comparison& comparison) {
    const nlohmann::json& table = reference.body.at("table");
    for (std::size_t i = 0; i < table.size(); ++i) {
        const auto image = triple<std::int64_t>(table[i].at("image_size"));
        const auto roi = triple<std::int64_t>(table[i].at("roi_size"));
        const Extents interval = scan_interval(image, roi, triple<double>(table[i].at("overlap")));
        const std::string number = std::to_string(i);
        comparison.equal("interval." + number, to_tensor({interval})[0], reference.tensor("output.interval." + number));
        comparison.equal("starts." + number, to_tensor(dense_patch_starts(image, roi, interval)),
                         reference.tensor("output.starts." + number));
    }
}

void check_function(const Case& reference, Comparison& comparison) {
    const auto path = reference.body.at("function").get<std::string>();
    const std::string function = path.substr(path.rfind('.') + 1);
    if (path.rfind("scripts.", 0) == 0) return check_anatomy(reference, function, comparison);  // NV-Generate-CTMR's
    for (const nlohmann::json& call : reference.body.at("calls")) {
        const nlohmann::json& kwargs = call.at("kwargs");
        at::Tensor result;
        if (function == "get_timestep_embedding") {
            result = timestep_embedding(reference.tensor("input.timesteps"), kwargs.at("embedding_dim"),
                                        kwargs.value("max_period", std::int64_t{10000}));
        } else if (function == "compute_importance_map") {
            result = importance_map(triple<std::int64_t>(kwargs.at("patch_size")), kwargs.value("mode", "constant"),
                                    triple<double>(kwargs.value("sigma_scale", nlohmann::json(0.125))));
        } else {
            throw NotCovered{"function " + function};
        }
        const auto output = call.at("outputs").at(0).get<std::string>();
        comparison.equal(output, result, reference.tensor(output));
    }
}

}  // namespace voldiff::reference

// Functions of labels and volumes: encoding, regions, tumours, morphology, clean-up, quality.
#include "core/anatomy/augmentation.h"
#include "core/anatomy/body_region.h"
#include "core/anatomy/encoding.h"
#include "core/anatomy/labels.h"
#include "core/anatomy/quality.h"
#include "core/anatomy/tumors.h"
#include "core/pipeline/intensity.h"
#include "io/anatomy/body_envelope.h"
#include "io/anatomy/components.h"
#include "io/anatomy/mask_post_process.h"
#include "io/anatomy/morphology.h"
#include "io/anatomy/resample.h"
#include "tests/reference/anatomy_call.h"
#include "tests/reference/checks.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>

#include <map>

namespace voldiff::reference {

namespace {

Beyond beyond_of(const Call& call) {
    return call.argument("pad_value") == 0.0 ? Beyond::background : Beyond::foreground;
}

void binarize(const Call& call) {
    call.compare(binarize_labels(call.tensor("x"), call.has("bits") ? call.integer("bits") : 8));
}

void body_region(const Call& call) {
    const BodyRegions regions = body_regions_of(call.tensor("input_mask"));
    call.compare_json("top", regions.top, call.body.at("result_json").at(0));
    call.compare_json("bottom", regions.bottom, call.body.at("result_json").at(1));
}

void filter_organs(const Call& call) {
    call.compare(keep_organs(call.tensor("combine_label"), call.argument("anatomy_list")));
}

void tumors_removed(const Call& call) {
    const at::Tensor labels = call.tensor("orig_labels")[0];
    const at::Tensor healthy =
        call.has("pseudo_labels") ? remove_tumors(labels, call.tensor("pseudo_labels")[0]) : remove_tumors(labels);
    call.compare(healthy.unsqueeze(0));
}

void remap(const Call& call) {
    LabelPairs pairs;
    for (const auto& [name, pair] : call.body.at("json_files").at("label_dict_remap_json").items())
        pairs.emplace_back(pair.at(0), pair.at(1));
    call.compare(replace_labels(call.tensor("mask"), pairs));
}

void dilated(const Call& call) {
    call.compare(dilate(call.tensor("mask_t") > 0, call.integer("filter_size"), beyond_of(call)).to(at::kFloat));
}

void eroded(const Call& call) {
    call.compare(erode(call.tensor("mask_t") > 0, call.integer("filter_size"), beyond_of(call)).to(at::kFloat));
}

void filled_by_closing(const Call& call) {
    call.compare(closed_organ(call.tensor("data"), call.integer("target_label")));
}

void filled_by_removed(const Call& call) {
    call.compare(near_organ(call.tensor("data"), call.integer("target_label"), call.tensor("remove_mask")));
}

void suppressed(const Call& call) {
    const Suppressed result =
        suppress_small_components(call.tensor("img"), call.argument("target_label"), call.integer("default_val"));
    call.compare(result.labels);
    call.compare(at::full({}, result.decreased, at::kLong), 1);
}

void post_processed(const Call& call) {
    const Json& target = call.argument("target_tumor_label");
    call.compare(clean_generated_mask(call.tensor("volume_t"),
                                      target.is_null() ? std::nullopt : std::optional(target.get<std::int64_t>())));
}

void enveloped(const Call& call) {
    BodyEnvelopeOptions options;
    if (call.has("seg_has_lung")) options.remove_table = call.argument("seg_has_lung");
    call.compare(add_body_envelope(call.tensor("seg_mask"), call.tensor("ct_image"), options));
}

void body_augmented(const Call& call) {
    const at::Tensor labels = call.tensor("pt_nda")[0][0];  // [1, 1, X, Y, Z]
    call.compare(
        augment_body(labels, static_cast<std::uint32_t>(call.integer("random_seed"))).unsqueeze(0).unsqueeze(0));
}

void cropped_to_body(const Call& call) {
    const double value = call.has("a_min") ? call.argument("a_min").get<double>() : made_range(1).lower;
    call.compare(with_even_background(call.tensor("synthetic_images"), call.tensor("combine_label"), value));
}

void resampled(const Call& call) {
    const at::Tensor labels = call.tensor("labels");  // [1, 1, X, Y, Z]
    const Volume volume{labels[0][0], call.argument("labels").at("affine")};
    const Json& self = call.body.at("self");
    const Volume fitted = fit_mask(volume, self.at("output_size"), self.at("spacing"));
    call.compare(fitted.voxels.view({1, 1, fitted.voxels.size(0), fitted.voxels.size(1), fitted.voxels.size(2)}));
}

void quality(const Call& call) {
    std::vector<MedianStatistics> statistics;
    for (const auto& [organ, known] : call.argument("statistics").items())
        statistics.push_back({organ, known.at("sigma_6_low"), known.at("sigma_6_high"), known.at("percentile_0_5"),
                              known.at("percentile_99_5")});
    OrganLabels organs;
    for (const auto& [organ, labels] : call.argument("label_int_dict").items()) organs.emplace_back(organ, labels);
    for (const OrganQuality& got :
         check_quality(statistics, call.tensor("image_data"), call.tensor("label_data"), organs)) {
        const Json& expected = call.body.at("result_json").at(got.organ);
        call.compare_json(got.organ + ".is_outlier", got.outlier, expected.at("is_outlier"));
        call.compare_json(got.organ + ".median", got.median ? Json(*got.median) : Json(), expected.at("median_value"));
        call.compare_json(got.organ + ".low", got.low, expected.at("low_thresh"));
        call.compare_json(got.organ + ".high", got.high, expected.at("high_thresh"));
    }
}

void size_condition(const Call& call) {
    std::vector<SizeCondition> database;
    for (const Json& entry : call.body.at("self_json_files").at("all_anatomy_size_conditions_json"))
        database.push_back(entry.at("organ_size"));
    const auto condition = anatomy_size_condition(sizes_of(call.argument("controllable_anatomy_size")), database);
    call.compare_json("condition", condition, call.body.at("result_json"));
}

const std::map<std::string, std::function<void(const Call&)>>& functions() {
    static const std::map<std::string, std::function<void(const Call&)>> table = {
        {"binarize_labels", binarize},
        {"get_body_region_index_from_mask", body_region},
        {"filter_mask_with_organs", filter_organs},
        {"remove_tumors", tumors_removed},
        {"remap_labels", remap},
        {"dilate_one_img", dilated},
        {"erode_one_img", eroded},
        {"organ_fill_by_closing", filled_by_closing},
        {"organ_fill_by_removed_mask", filled_by_removed},
        {"supress_non_largest_components", suppressed},
        {"general_mask_generation_post_process", post_processed},
        {"augmentation_body", body_augmented},
        {"add_body_envelope", enveloped},
        {"crop_img_body_mask", cropped_to_body},
        {"ensure_output_size_and_spacing", resampled},
        {"is_outlier", quality},
        {"prepare_anatomy_size_condition", size_condition},
    };
    return table;
}

}  // namespace

void check_anatomy(const Case& reference, const std::string& function, Comparison& comparison) {
    const auto found = functions().find(function);
    if (found == functions().end()) throw NotCovered{"function " + function};
    for (const Json& call : reference.body.at("calls")) found->second({reference, call, comparison});
}

}  // namespace voldiff::reference

// What is asked of the networks: which requests are refused, and how spacing is rounded.
#include "core/anatomy/mask_conditions.h"
#include "core/anatomy/request_checks.h"
#include "core/error.h"
#include "core/pipeline/conditions.h"
#include "tests/reference/anatomy_call.h"
#include "tests/reference/checks.h"

#include <ATen/core/Tensor.h>

namespace voldiff::reference {

namespace {

bool accepted(const std::function<void()>& check) {
    try {
        check();
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

void check_validation(const Case& reference, Comparison& comparison) {
    const auto function = reference.body.at("function").get<std::string>();
    const bool ct = function.find("check_input_ct") != std::string::npos;
    if (!ct && function.find("check_input_mr") == std::string::npos) throw NotCovered{"validation " + function};
    LabelTable::Entries entries;
    for (const auto& [name, value] : reference.body.at("label_dict").items()) entries.emplace_back(name, value);
    const LabelTable table(std::move(entries));
    for (const Json& check : reference.body.at("checks")) {
        const Json& args = check.at("args");
        AnatomyRequest request{
            args.at("body_region"), args.at("anatomy_list"), args.at("output_size"), args.at("spacing"), {}};
        const Json& sizes = args.at("controllable_anatomy_size");
        if (!sizes.is_null()) request.controllable_anatomy_size = sizes_of(sizes);
        const bool got = accepted([&] { ct ? check_ct_request(request, table) : check_mr_request(request, table); });
        comparison.count();
        if (got != check.at("accepted").get<bool>())
            comparison.fail(args.dump() + (got ? " is accepted" : " is refused"));
    }
}

void check_spacing_table(const Case& reference, Comparison& comparison) {
    DiffusionUnetConfig unet = DiffusionUnetConfig::of("DiffusionModelUNetMaisi");
    unet.include_spacing_input = true;
    const Json& table = reference.body.at("table");
    for (std::size_t i = 0; i < table.size(); ++i) {
        ImageConditions image;
        image.spacing = table[i].at("spacing");
        const std::string number = "." + std::to_string(i);
        const auto compare = [&](const std::string& way, const at::Tensor& got) {
            comparison.equal(way + number, got, reference.tensor("output." + way + number));
        };
        compare("image_only", image_only_conditions(unet, image).spacing_tensor.to(at::kHalf));
        compare("from_mask", hundredfold_from_mask(image.spacing));
        compare("database_mask", hundredfold_from_database(image.spacing));
    }
}

}  // namespace voldiff::reference

// Weights of MONAI GenerativeModels: in our networks they give the outputs of the class that they were trained with,
// and, asked for by name, those that MONAI's load_old_state_dict makes of them.
#include "core/error.h"
#include "core/state_dict/load.h"
#include "tests/reference/checks.h"
#include "tests/reference/subject.h"

#include <optional>

namespace voldiff::reference {

namespace {

class LegacyCase {
  public:
    LegacyCase(const Case& reference, Comparison& comparison) : reference_(reference), comparison_(comparison) {}

    // The network with these options loads by `rule` and gives the outputs `tag`.
    void expect(const std::string& target, nlohmann::json constructor, ProjectionRule rule, const std::string& tag) {
        try {
            load(target, constructor, rule);
        } catch (const Error& error) {
            comparison_.fail(tag + ": " + error.what());
            return;
        }
        for (const nlohmann::json& call : reference_.body.at("calls")) {
            run_call(reference_, call, *subject_, "output." + tag + ".", comparison_);
        }
    }

    void expect_refusal(const std::string& target, const nlohmann::json& constructor, ProjectionRule rule) {
        comparison_.count();
        try {
            load(target, constructor, rule);
        } catch (const Error& error) {
            if (error.code() == ErrorCode::weights) return;
        }
        comparison_.fail("loads, expected a refusal: " + constructor.dump());
    }

  private:
    void load(const std::string& target, const nlohmann::json& constructor, ProjectionRule rule) {
        subject_ = make_subject(target, constructor);
        load_state_dict(*subject_->module, reference_.weights(), {std::nullopt, at::kCPU},
                        {subject_->layouts, "auto", rule});
    }

    const Case& reference_;
    Comparison& comparison_;
    std::optional<Subject> subject_;
};

nlohmann::json with_projection(nlohmann::json constructor, bool include_fc) {
    constructor["include_fc"] = include_fc;
    return constructor;
}

}  // namespace

void check_legacy(const Case& reference, Comparison& comparison) {
    LegacyCase legacy(reference, comparison);
    const std::string target = reference.body.at("monai_class");
    const nlohmann::json& constructor = reference.body.at("monai_constructor");
    const nlohmann::json with = with_projection(constructor, true);
    const nlohmann::json without = with_projection(constructor, false);
    if (reference.body.contains("maisi_class")) {  // 3x3x3 transposed convolutions, which only MAISI's class has
        legacy.expect_refusal(target, with, ProjectionRule::identity);
        const nlohmann::json& maisi = reference.body.at("maisi_constructor");
        const std::string maisi_class = reference.body.at("maisi_class");
        legacy.expect(maisi_class, maisi, ProjectionRule::as_saved, "legacy");
        legacy.expect(maisi_class, maisi, ProjectionRule::as_saved, "maisi");
        legacy.expect(maisi_class, with_projection(maisi, true), ProjectionRule::identity, "legacy");
        return;
    }
    if (constructor.value("with_conditioning", false)) {
        legacy.expect(target, with, ProjectionRule::as_saved, "legacy");
        legacy.expect(target, with, ProjectionRule::as_saved, "include_fc_true");
        legacy.expect_refusal(target, without, ProjectionRule::as_saved);
        if (reference.has("output.include_fc_false.y")) {
            legacy.expect(target, without, ProjectionRule::drop, "include_fc_false");
        }
        return;
    }
    legacy.expect(target, without, ProjectionRule::as_saved, "legacy");
    legacy.expect(target, with, ProjectionRule::identity, "legacy");
    legacy.expect_refusal(target, with, ProjectionRule::as_saved);
    if (reference.has("output.include_fc_true.y")) {
        legacy.expect(target, with, ProjectionRule::apply, "include_fc_true");
        legacy.expect(target, without, ProjectionRule::as_saved, "include_fc_false");
    }
}

}  // namespace voldiff::reference

// Networks and blocks: build the class, load its weights strictly, run the calls.
#include "core/state_dict/load.h"
#include "tests/reference/checks.h"
#include "tests/reference/subject.h"

namespace voldiff::reference {

namespace {

const LoadTarget as_stored{std::nullopt, at::kCPU};

}  // namespace

void check_module(const Case& reference, Comparison& comparison) {
    const Subject subject = make_subject(reference.class_name(), reference.body.at("constructor"));
    load_state_dict(*subject.module, reference.weights(), as_stored);
    for (const nlohmann::json& call : reference.body.at("calls")) run_call(reference, call, subject, "", comparison);
}

// Each layout in its own network, and in the network of the other.
void check_layout_pair(const Case& reference, Comparison& comparison) {
    const nlohmann::json call = {{"kwargs", {{"x", "tensor:input.x"}}}, {"outputs", {""}}};
    for (const std::string network : {"separate", "fused"}) {
        for (const std::string weights : {"separate", "fused"}) {
            const Subject subject = make_subject(reference.class_name(), reference.body.at("constructor_" + network));
            load_state_dict(*subject.module, reference.weights("weights_" + weights + "."), as_stored);
            run_call(reference, call, subject, "output." + network, comparison);
        }
    }
}

}  // namespace voldiff::reference

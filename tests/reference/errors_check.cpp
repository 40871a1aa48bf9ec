// Constructions and calls with the verdict of MONAI's classes: what they refuse, voldiff refuses with an Error of its
// own, and what they accept it accepts. Networks are tried twice: as MAISI's class to the letter, and as voldiff offers
// them.
#include "core/blocks/sa_block.h"
#include "core/error.h"
#include "tests/reference/checks.h"
#include "tests/reference/subject.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>

#include <map>
#include <set>

namespace voldiff::reference {

namespace {

using Json = nlohmann::json;

// Where voldiff gives another verdict than MONAI, on purpose.
struct Difference {
    std::string why;           // of the data
    std::vector<Hints> where;  // to the letter, too?
    std::string reason;
};

const std::vector<Difference>& differences() {
    static const std::vector<Difference> table = {
        {"more splits than voxels along the split axis",
         {Hints::ignored},
         "num_splits is a hint for a GPU's memory: nothing is split, and so nothing is too short"},
        {"slab shorter than the overlap", {Hints::ignored}, "the same"},
        {"MAISI autoencoder: num_res_blocks must be a list (an int fails)",
         {Hints::act, Hints::ignored},
         "one number means all levels, as it does in MONAI's other classes"},
        {"DDIM cannot be constructed with steps_offset >= 1: the constructor calls set_timesteps with step ratio 1",
         {Hints::act, Hints::ignored},
         "steps_offset is held against the steps that are asked for, not against a default"},
    };
    return table;
}

bool differs(const std::string& why, Hints hints) {
    for (const Difference& difference : differences()) {
        if (difference.why != why) continue;
        for (const Hints where : difference.where) {
            if (where == hints) return true;
        }
    }
    return false;
}

at::Tensor tensor_of(const Json& description) {
    const auto shape = description.at("shape").get<std::vector<std::int64_t>>();
    return at::full(shape, description.value("fill", 0.5), attention_type(description.value("dtype", "float32")));
}

// The weights' values do not matter; memory that nobody wrote might.
void fill_weights(const Module& module, at::ScalarType type) {
    for (const auto& item : module.named_tensors()) *item.second = at::full(item.second->sizes(), 0.1, type);
}

void try_module(const Json& entry, Hints hints) {
    const Subject subject = make_subject(entry.at("class"), entry.at("constructor"), hints);
    fill_weights(*subject.module, attention_type(entry.value("module_dtype", "float32")));
    for (const Json& call : entry.at("calls")) {
        Case reference;
        Json kwargs = Json::object();
        for (const auto& [name, description] : call.at("kwargs").items()) {
            reference.tensors.insert("input." + name, tensor_of(description));
            kwargs[name] = "tensor:input." + name;
        }
        subject.call(call.at("method"), Arguments(reference, kwargs));
    }
}

// MONAI's `step` names the timestep, ours counts: the first.
void call_scheduler(Scheduler& scheduler, const std::string& method, const Json& kwargs) {
    const auto tensor = [&](const char* name) { return tensor_of(kwargs.at(name)); };
    const std::map<std::string, std::function<void()>> methods = {
        {"set_timesteps",
         [&] {
             scheduler.set_timesteps(kwargs.at("num_inference_steps"),
                                     kwargs.value("input_img_size_numel", std::int64_t{0}));
         }},
        {"step", [&] { scheduler.step(tensor("model_output"), 0, tensor("sample"), {}); }},
        {"add_noise", [&] { scheduler.add_noise(tensor("original_samples"), tensor("noise"), tensor("timesteps")); }},
    };
    const auto found = methods.find(method);
    if (found == methods.end()) throw NotCovered{"method " + method};
    found->second();
}

void try_scheduler(const Json& entry, Hints /*hints*/) {
    const auto scheduler = make_scheduler(entry.at("class"), entry.at("constructor"));
    for (const Json& call : entry.at("calls")) call_scheduler(*scheduler, call.at("method"), call.at("kwargs"));
}

void try_sliding_window(const Json& entry, Hints /*hints*/) {
    const Json& arguments = entry.at("constructor");
    sliding_window_inference(tensor_of(arguments.at("inputs")), window_options(arguments),
                             [](const at::Tensor& x) { return x; });
}

// Throws what voldiff throws.
void try_entry(const Json& entry, Hints hints) {
    const auto path = entry.at("class").get<std::string>();
    if (path == "monai.inferers.utils.sliding_window_inference") return try_sliding_window(entry, hints);
    if (path.find(".schedulers.") != std::string::npos) return try_scheduler(entry, hints);
    try_module(entry, hints);
}

void check_entry(const Json& entry, Hints hints, Comparison& comparison) {
    const auto why = entry.at("why").get<std::string>();
    const bool refused_by_monai = entry.at("raises").get<bool>();
    const bool expected = differs(why, hints) ? !refused_by_monai : refused_by_monai;
    bool refused = false;
    comparison.count();
    try {
        try_entry(entry, hints);
    } catch (const Error&) {
        refused = true;
    } catch (const std::exception& other) {
        return comparison.fail("'" + why + "' ends in another exception than Error: " + other.what());
    }
    const std::string where = hints == Hints::act ? " (to the letter)" : " (as offered)";
    if (refused != expected) comparison.fail("'" + why + "' is " + (refused ? "refused" : "accepted") + where);
}

}  // namespace

void check_errors(const Case& reference, Comparison& comparison) {
    std::set<std::string> present;
    for (const Json& entry : reference.body.at("entries")) {
        present.insert(entry.at("why").get<std::string>());
        for (const Hints hints : {Hints::act, Hints::ignored}) check_entry(entry, hints, comparison);
    }
    for (const Difference& difference : differences()) {
        if (present.count(difference.why) == 0) comparison.fail("'" + difference.why + "' is not in the data");
    }
}

}  // namespace voldiff::reference

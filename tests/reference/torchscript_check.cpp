// TorchScript files made by PyTorch: run as modules they give the outputs stored beside them, and their weights load
// into our networks, which give the same.
#include "core/error.h"
#include "core/state_dict/load.h"
#include "core/torchscript/scripted_call.h"
#include "io/checkpoint/checkpoint.h"
#include "tests/reference/checks.h"
#include "tests/reference/subject.h"

#include <fstream>

namespace voldiff::reference {

namespace {

std::vector<at::Tensor> numbered(const Case& reference, const std::string& prefix) {
    std::vector<at::Tensor> tensors;
    for (std::size_t i = 0; reference.has(prefix + std::to_string(i)); ++i) {
        tensors.push_back(reference.tensor(prefix + std::to_string(i)));
    }
    return tensors;
}

void compare(const std::vector<at::Tensor>& got, const Case& reference, const std::string& what,
             Comparison& comparison) {
    const auto expected = numbered(reference, "output.");
    if (got.size() != expected.size()) return comparison.fail(what + ": another number of outputs");
    for (std::size_t i = 0; i < got.size(); ++i) comparison.equal(what + " " + std::to_string(i), got[i], expected[i]);
}

// The names of the positional inputs, in the order of the function.
nlohmann::json arguments_of(const torch::jit::Module& module, const Case& reference) {
    nlohmann::json kwargs;
    std::size_t i = 0;
    for (const c10::Argument& argument : module.find_method("forward")->function().getSchema().arguments()) {
        const std::string input = "input." + std::to_string(i);
        if (argument.name() == "self" || !reference.has(input)) continue;
        kwargs[argument.name()] = "tensor:" + input;
        ++i;
    }
    return kwargs;
}

ScriptedArguments with_values(const nlohmann::json& kwargs, const Case& reference) {
    ScriptedArguments arguments;
    for (const auto& [name, value] : kwargs.items()) {
        arguments.emplace_back(name, reference.tensor(value.get<std::string>().substr(std::string("tensor:").size())));
    }
    return arguments;
}

std::vector<std::string> names_of(const nlohmann::json& kwargs) {
    std::vector<std::string> names;
    for (const auto& item : kwargs.items()) names.push_back(item.key());
    return names;
}

void check_own_network(const Case& reference, const std::filesystem::path& file, const nlohmann::json& kwargs,
                       Comparison& comparison) {
    Subject subject;
    try {
        subject = make_subject(reference.class_name(), reference.body.at("constructor"));
    } catch (const NotCovered&) {
        return;  // a part of a network
    }
    load_state_dict(*subject.module, read_checkpoint(file).weights, {}, {subject.layouts});
    compare(subject.call(kwargs.contains("z") ? "decode" : "forward", Arguments(reference, kwargs)), reference,
            "our network", comparison);
}

}  // namespace

void check_torchscript(const Case& reference, Comparison& comparison) {
    const auto file = reference.root / reference.group / reference.body.at("file").get<std::string>();
    std::ifstream archive(file, std::ios::binary);
    try {
        const torch::jit::Module module = load_scripted(archive, at::TensorOptions().dtype(at::kFloat));
        const nlohmann::json kwargs = arguments_of(module, reference);
        const ScriptedMethod forward(module, "forward", names_of(kwargs));
        compare(flatten_result(forward(with_values(kwargs, reference))), reference, "module", comparison);
        check_own_network(reference, file, kwargs, comparison);
    } catch (const Error& error) {
        // PyTorch 1.13 itself refuses archives with operators that came later.
        const bool newer = std::string(error.what()).find("Unknown builtin op") != std::string::npos;
        if (!newer) throw;
        check_own_network(reference, file, {{"x", "tensor:input.0"}}, comparison);
    }
}

}  // namespace voldiff::reference

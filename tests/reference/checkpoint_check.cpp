// One state_dict in many containers, damaged and hostile files among them.
#include "core/error.h"
#include "io/checkpoint/checkpoint.h"
#include "tests/reference/checks.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <fstream>

namespace voldiff::reference {

namespace {

// What hostile files try to make.
const char* const hostile_mark = "/tmp/PWNED";

void check_tensors(const nlohmann::json& file, const Checkpoint& checkpoint, const StateDict& expected,
                   Comparison& comparison) {
    const std::string name = file.at("file");
    const nlohmann::json place = file.value("weights_at", nlohmann::json());
    if (checkpoint.weights_at != (place.is_null() ? std::string() : place.get<std::string>())) {
        comparison.fail(name + ": weights found at '" + checkpoint.weights_at + "'");
    }
    if (checkpoint.weights.size() != file.at("tensors").size()) comparison.fail(name + ": another number of tensors");
    for (const auto& [key, value] : file.at("tensors").items()) {
        if (!checkpoint.weights.contains(key)) {
            comparison.fail(name + ": no " + key);
            continue;
        }
        comparison.equal(name + " " + key, checkpoint.weights[key], expected[value.get<std::string>()]);
    }
    const nlohmann::json extra_tensors = file.value("extra_tensors", nlohmann::json::object());
    for (const auto& [key, value] : extra_tensors.items()) {
        if (checkpoint.extra_tensors.contains(key)) {
            comparison.equal(name + " " + key, checkpoint.extra_tensors[key], expected[value.get<std::string>()]);
        } else {
            comparison.fail(name + ": no " + key);
        }
    }
    const nlohmann::json extras = file.value("extras", nlohmann::json::object());
    for (const auto& [key, value] : extras.items()) {
        const auto found = checkpoint.extra_numbers.find(key);
        if (found == checkpoint.extra_numbers.end() || found->second != value.get<double>()) {
            comparison.fail(name + ": another " + key);
        }
    }
}

void check_file(const std::filesystem::path& folder, const nlohmann::json& file, const StateDict& expected,
                Comparison& comparison) {
    const std::string name = file.at("file");
    const bool must_fail = file.at("expect") == "error";
    comparison.count();
    try {
        const Checkpoint checkpoint = read_checkpoint(folder / name);
        if (must_fail && !file.value("weights_acceptable", false)) comparison.fail(name + " was read");
        if (!must_fail) check_tensors(file, checkpoint, expected, comparison);
    } catch (const Error& error) {
        if (!must_fail && !file.value("refusal_acceptable", false)) comparison.fail(error.what());
        if (error.code() != ErrorCode::weights) comparison.fail(name + ": another kind of error: " + error.what());
    }
    if (std::filesystem::exists(hostile_mark)) comparison.fail(name + " made " + hostile_mark);
}

}  // namespace

void check_checkpoints(const Case& reference, Comparison& comparison) {
    const std::filesystem::path folder = reference.root / reference.group;
    std::filesystem::remove(hostile_mark);
    std::ifstream stream(folder / "expected.json");
    const nlohmann::json description = nlohmann::json::parse(stream);
    const StateDict expected = read_checkpoint(folder / "expected.safetensors").weights;
    for (const nlohmann::json& file : description.at("files")) check_file(folder, file, expected, comparison);
}

}  // namespace voldiff::reference

#include "tests/reference/case.h"

#include "io/checkpoint/checkpoint.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/nan_to_num.h>
#include <c10/core/ScalarType.h>

#include <fstream>
#include <sstream>

namespace voldiff::reference {

namespace {

std::string shape_of(const at::Tensor& tensor) {
    std::ostringstream text;
    text << c10::toString(tensor.scalar_type()) << tensor.sizes();
    return text.str();
}

bool same_nan(const at::Tensor& got, const at::Tensor& expected) {
    return at::equal(at::isnan(got), at::isnan(expected));
}

nlohmann::json read_json(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return nlohmann::json::parse(stream);
}

}  // namespace

void Comparison::equal(const std::string& name, const at::Tensor& got, const at::Tensor& expected) {
    count();
    if (got.sizes() != expected.sizes() || got.scalar_type() != expected.scalar_type()) {
        fail(name + " is " + shape_of(got) + ", expected " + shape_of(expected));
        return;
    }
    if (got.numel() == 0) return;
    const at::Tensor a = got.to(at::kDouble);
    const at::Tensor b = expected.to(at::kDouble);
    if (!same_nan(a, b)) {
        fail(name + " has NaN at other places");
        return;
    }
    const double difference = at::nan_to_num(a - b, 0.0, INFINITY, INFINITY).abs().max().item<double>();
    const double scale = at::nan_to_num(b).abs().max().item<double>();
    const double relative = scale > 0 ? difference / scale : difference;
    max_abs_ = std::max(max_abs_, difference);
    max_rel_ = std::max(max_rel_, relative);
    const bool exact = !at::isFloatingType(expected.scalar_type()) || tolerance_ == 0;
    const double limit = exact ? 0 : scale > 0 ? tolerance_ * scale : 1e-6;
    if (difference <= limit) return;
    std::ostringstream text;
    text << name << " differs by " << difference << " of " << scale;
    fail(text.str());
}

void Comparison::truncated(const std::string& name, const at::Tensor& got, const at::Tensor& expected) {
    count();
    if (got.sizes() != expected.sizes() || got.scalar_type() != expected.scalar_type()) {
        fail(name + " is " + shape_of(got) + ", expected " + shape_of(expected));
        return;
    }
    const at::Tensor difference = (got.to(at::kLong) - expected.to(at::kLong)).abs();
    const auto worst = difference.max().item<std::int64_t>();
    const auto changed = (difference > 0).sum().item<std::int64_t>();
    if (worst > 1 || changed * 1000 > got.numel()) {
        fail(name + " differs by up to " + std::to_string(worst) + " in " + std::to_string(changed) + " voxels");
    }
}

StateDict Case::weights(const std::string& prefix) const {
    StateDict selected;
    for (const auto& item : tensors) {
        if (item.key().compare(0, prefix.size(), prefix) == 0) {
            selected.insert(item.key().substr(prefix.size()), item.value());
        }
    }
    return selected;
}

std::string Case::class_name() const {
    const auto name = body.value("class", std::string());
    return name.substr(name.rfind('.') + 1);
}

Case load_case(const std::filesystem::path& root, const nlohmann::json& entry) {
    Case loaded;
    loaded.group = entry.at("group");
    loaded.name = entry.at("name");
    loaded.kind = entry.at("kind");
    loaded.root = root;
    loaded.tolerance = entry.value("tolerance", nlohmann::json::object()).value("suggested", 0.0);
    const std::filesystem::path stem = root / loaded.group / loaded.name;
    const std::filesystem::path description = stem.string() + ".json";
    if (!std::filesystem::exists(description)) return loaded;
    loaded.body = read_json(description);
    if (!loaded.body.value("tensors", nlohmann::json::object()).empty()) {
        loaded.tensors = read_checkpoint(stem.string() + ".safetensors").weights;
    }
    return loaded;
}

}  // namespace voldiff::reference

// One call of a function of labels or volumes in the reference data.
#pragma once

#include "core/anatomy/size_condition.h"
#include "tests/reference/case.h"

#include <ATen/core/Tensor.h>

namespace voldiff::reference {

using Json = nlohmann::json;

// Its arguments, and what it is compared with.
struct Call {
    const Case& reference;
    const Json& body;
    Comparison& comparison;

    const Json& argument(const std::string& name) const { return body.at("kwargs").at(name); }
    bool has(const std::string& name) const { return body.at("kwargs").contains(name); }
    std::int64_t integer(const std::string& name) const { return argument(name).get<std::int64_t>(); }

    // "tensor:input.x" or {"tensor": "input.x", "as": "numpy:int64"}
    at::Tensor tensor(const std::string& name) const {
        const Json& given = argument(name);
        if (given.is_string()) return reference.tensor(given.get<std::string>().substr(7));
        const at::Tensor stored = reference.tensor(given.at("tensor"));
        const auto as = given.at("as").get<std::string>();
        return as.find("int64") == std::string::npos ? stored : stored.to(at::kLong);
    }

    // Labels and masks are stored in another type than the function returns.
    void compare(const at::Tensor& got, std::size_t output = 0) const {
        const Json& named = body.at("outputs").at(output);
        const std::string name = named.is_string() ? named.get<std::string>() : named.at("name").get<std::string>();
        const at::Tensor& expected = reference.tensor(name);
        if (named.is_string()) return comparison.equal(name, got, expected);
        comparison.equal(name, got.to(at::kLong), expected.to(at::kLong));
    }

    template <class Value>
    void compare_json(const std::string& name, const Value& got, const Json& expected) const {
        comparison.count();
        if (Json(got) != expected) comparison.fail(name + " is " + Json(got).dump() + ", expected " + expected.dump());
    }
};

// ["pancreas", 0.5], ...
inline std::vector<AnatomySize> sizes_of(const Json& pairs) {
    std::vector<AnatomySize> sizes;
    for (const Json& pair : pairs) sizes.push_back({pair.at(0), pair.at(1)});
    return sizes;
}

}  // namespace voldiff::reference

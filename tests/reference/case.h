// One case of the reference data: its description, its tensors, and what became of the comparison.
#pragma once

#include "core/state_dict/state_dict.h"
#include "io/config/reader.h"
#include "io/config/yaml.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

namespace voldiff::reference {

// Thrown for what this program does not check.
struct NotCovered {
    std::string reason;
};

// Rule of the data: max|got - expected| <= tolerance * max|expected|, absolute 1e-6 where all of `expected` is zero;
// integers and booleans are equal; NaN exactly where expected. The tolerance is the data's own: ten times what two
// versions of PyTorch differ by, at least 5e-6.
class Comparison {
  public:
    explicit Comparison(double tolerance) : tolerance_(tolerance) {}

    void equal(const std::string& name, const at::Tensor& got, const at::Tensor& expected);
    // Integers that may differ by one unit in at most one voxel of a thousand, from truncating a rounded value.
    void truncated(const std::string& name, const at::Tensor& got, const at::Tensor& expected);
    void fail(const std::string& what) { problems_ += (problems_.empty() ? "" : "; ") + what; }

    bool passed() const { return problems_.empty() && compared_ > 0; }
    double max_abs() const { return max_abs_; }
    double max_rel() const { return max_rel_; }
    double tolerance() const { return tolerance_; }
    std::string problems() const { return compared_ > 0 ? problems_ : "nothing was compared"; }
    // For checks that count something else than tensors.
    void count() { ++compared_; }

  private:
    double tolerance_;
    double max_abs_ = 0;
    double max_rel_ = 0;
    std::size_t compared_ = 0;
    std::string problems_;
};

struct Case {
    std::string group;
    std::string name;
    std::string kind;
    double tolerance = 0;
    std::filesystem::path root;
    nlohmann::json body;
    StateDict tensors;

    bool has(const std::string& tensor) const { return tensors.contains(tensor); }
    const at::Tensor& tensor(const std::string& tensor_name) const { return tensors[tensor_name]; }
    // The tensors whose names start with `prefix`, without it.
    StateDict weights(const std::string& prefix = "weights.") const;
    // The last part of the class name.
    std::string class_name() const;
};

// Reads `group/name.json` and its tensors below `root`; `entry` is the case's entry of INDEX.json.
Case load_case(const std::filesystem::path& root, const nlohmann::json& entry);

// Constructor arguments into a config struct, as strictly as any config file.
template <class Config>
Config read_arguments(const nlohmann::json& arguments, Config config = {}) {
    Problems problems;
    read_options(config, parse_yaml(arguments.dump(), "constructor"), "", {&problems, nullptr, {}});
    problems.throw_if_any();
    return config;
}

}  // namespace voldiff::reference

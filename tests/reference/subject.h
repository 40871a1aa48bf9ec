// A network or block of the reference data: built from its class name, run by the calls of a case.
#pragma once

#include "core/networks/network.h"
#include "tests/reference/case.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace voldiff::reference {

// The arguments of one call. "tensor:input.x" names the tensor input.x of the case.
class Arguments {
  public:
    Arguments(const Case& reference, const nlohmann::json& kwargs) : reference_(reference), kwargs_(kwargs) {}

    at::Tensor operator[](const std::string& name) const;  // undefined where it is not given
    std::vector<at::Tensor> list(const std::string& name) const;
    double number(const std::string& name, double otherwise) const { return kwargs_.value(name, otherwise); }

  private:
    at::Tensor find(const nlohmann::json& argument) const;
    const Case& reference_;
    const nlohmann::json& kwargs_;
};

struct Subject {
    std::shared_ptr<Module> module;
    std::function<std::vector<at::Tensor>(const std::string& method, const Arguments&)> call;
    std::vector<KeyLayout> layouts{native_layout()};
    std::function<at::Tensor()> att_mat;  // blocks that keep it
};

// `class_name`: the last part is enough. Throws NotCovered for a class that is not built here.
Subject make_subject(const std::string& class_name, const nlohmann::json& constructor);

// A single building block, or none for another class.
std::optional<Subject> make_block_subject(const std::string& class_name, const nlohmann::json& constructor);

// Runs a call; its outputs are those of the case named `prefix` + name.
void run_call(const Case& reference, const nlohmann::json& call, const Subject& subject, const std::string& prefix,
              Comparison& comparison);

}  // namespace voldiff::reference

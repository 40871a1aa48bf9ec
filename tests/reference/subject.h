// What a case of the reference data is about, built from its class name and arguments: a network or block, which the
// calls of the case run, a scheduler, or windows.
#pragma once

#include "core/decode/sliding_window.h"
#include "core/networks/network.h"
#include "core/schedulers/scheduler.h"
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

// MAISI's class to the letter, or as voldiff offers it: see AutoencoderKlConfig::hints_act.
enum class Hints { act, ignored };

// `class_name`: the last part is enough. Throws NotCovered for a class that is not built here.
Subject make_subject(const std::string& class_name, const nlohmann::json& constructor, Hints hints = Hints::act);

// A single building block, or none for another class.
std::optional<Subject> make_block_subject(const std::string& class_name, const nlohmann::json& constructor);

// `class_name`: the last part is enough. Throws NotCovered for a class that is not built here.
std::unique_ptr<Scheduler> make_scheduler(const std::string& class_name, const nlohmann::json& constructor);

// From the arguments of MONAI's sliding_window_inference or SlidingWindowInferer.
SlidingWindowOptions window_options(const nlohmann::json& inferer);

// Runs a call; its outputs are those of the case named `prefix` + name.
void run_call(const Case& reference, const nlohmann::json& call, const Subject& subject, const std::string& prefix,
              Comparison& comparison);

}  // namespace voldiff::reference

// What a network is besides its call: a module whose weights come from a checkpoint.
#pragma once

#include "core/blocks/attention_options.h"
#include "core/blocks/module.h"
#include "core/state_dict/layout.h"

#include <cstdint>
#include <string>
#include <vector>

namespace voldiff {

class Network : public Module {
  public:
    // MONAI's class, as the network file gives it.
    virtual const std::string& class_name() const = 0;
    // How each attention block was built, in the order of the keys.
    const std::vector<AttentionBlockRecord>& attention_blocks() const { return plan_.blocks(); }
    // The layouts that a checkpoint of this network may have; the first one is the network's own.
    virtual std::vector<KeyLayout> layouts() const = 0;
    // See `probe` in roles.h.
    virtual std::vector<at::Tensor> probe_outputs(std::uint64_t seed) = 0;

  protected:
    explicit Network(AttentionPlan plan) : plan_(std::move(plan)) {}
    AttentionPlan plan_;
};

}  // namespace voldiff

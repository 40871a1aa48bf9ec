// Declares the options of a config struct once: key, type, unit, range, default and help. Readers, validators,
// printers,
// `--help` and the documentation are visitors of the same declaration; a default is the member's initial value.
//
//   struct DecodeConfig : OptionGroup {
//       std::string method = "auto";
//       void visit_options(OptionVisitor& visitor) override {
//           visitor.visit(Option("method", "how a latent is decoded").one_of({"auto", "whole"}), method);
//       }
//   };
#pragma once

#include <any>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace voldiff {

struct Option {
    std::string key;
    std::string help;
    std::string unit;
    std::string alias;  // another accepted name of the key
    std::vector<std::string> choices;
    double minimum = -std::numeric_limits<double>::infinity();
    double maximum = std::numeric_limits<double>::infinity();
    bool required = false;

    Option(std::string key_, std::string help_) : key(std::move(key_)), help(std::move(help_)) {}
    Option in(double low, double high) const;
    Option at_least(double low) const;
    Option measured_in(std::string name) const;
    Option also_called(std::string name) const;
    Option one_of(std::vector<std::string> names) const;
    Option needed() const;
};

// One integer for all levels, or one for each, as MONAI's `num_res_blocks` and `num_head_channels`.
struct PerLevel {
    std::vector<std::int64_t> values;
    bool same_for_all = true;  // then `values` has one entry

    PerLevel() = default;
    explicit PerLevel(std::int64_t value) : values{value} {}
    // One value a level. Throws Error(config), naming `key`, where the list has another length.
    std::vector<std::int64_t> expand(std::size_t levels, const std::string& key) const;
};

// A subtree that is read later, by whoever knows its options (a scheduler's, say). What it holds is the reader's
// affair.
struct RawOptions {
    std::any tree;
};

class OptionVisitor;

class OptionGroup {
  public:
    virtual ~OptionGroup() = default;
    virtual void visit_options(OptionVisitor& visitor) = 0;
};

// Names that the user chooses, each with options of one kind: `attention: {"down_blocks.2.*": {include_fc: false}}`.
class OptionMap {
  public:
    virtual ~OptionMap() = default;
    virtual std::vector<std::pair<std::string, OptionGroup*>> entries() = 0;
    virtual OptionGroup& add(const std::string& name) = 0;
    virtual void clear() = 0;
};

template <class Group>
class OptionMapOf : public OptionMap {
  public:
    std::vector<std::pair<std::string, Group>> items;  // in the order given

    std::vector<std::pair<std::string, OptionGroup*>> entries() override {
        std::vector<std::pair<std::string, OptionGroup*>> all;
        for (auto& [name, group] : items) all.emplace_back(name, &group);
        return all;
    }
    OptionGroup& add(const std::string& name) override { return items.emplace_back(name, Group()).second; }
    void clear() override { items.clear(); }
};

class OptionVisitor {
  public:
    virtual ~OptionVisitor() = default;
    virtual void visit(const Option& option, bool& value) = 0;
    virtual void visit(const Option& option, std::int64_t& value) = 0;
    virtual void visit(const Option& option, double& value) = 0;
    virtual void visit(const Option& option, std::string& value) = 0;
    virtual void visit(const Option& option, std::optional<bool>& value) = 0;
    virtual void visit(const Option& option, std::optional<std::int64_t>& value) = 0;
    virtual void visit(const Option& option, std::optional<std::string>& value) = 0;
    virtual void visit(const Option& option, std::vector<bool>& value) = 0;
    virtual void visit(const Option& option, std::vector<std::int64_t>& value) = 0;
    virtual void visit(const Option& option, std::vector<double>& value) = 0;
    virtual void visit(const Option& option, std::vector<std::string>& value) = 0;
    virtual void visit(const Option& option, std::array<std::int64_t, 3>& value) = 0;
    virtual void visit(const Option& option, std::array<double, 3>& value) = 0;
    virtual void visit(const Option& option, PerLevel& value) = 0;
    virtual void visit(const Option& option, RawOptions& value) = 0;
    virtual void visit(const Option& option, OptionMap& map) = 0;
    virtual void visit(const Option& option, OptionGroup& group) = 0;
};

}  // namespace voldiff

// Reads the options of a config struct from a map, checks each, and collects every mistake.
//
//   Problems problems;
//   read_options(config, parse_yaml(text, "x.yaml"), "", {&problems});
//   problems.throw_if_any();
#pragma once

#include "core/option.h"
#include "io/config/node.h"
#include "io/config/problems.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace voldiff {

// Key path ("image.size") of each value that a file or the command line gave -> where.
using Origins = std::map<std::string, Mark>;

struct ReadContext {
    Problems* problems = nullptr;          // never null
    Origins* origins = nullptr;            // filled where given
    std::vector<std::string> other_paths;  // key paths to propose for a key that is at the wrong place
};

// One map level. Values are exact: no number in quotes, no "12abc", no 1.5 for an integer, lists of the right length.
// What the map does not say keeps its value. RawOptions take the node as it is (`std::any` of a Node). An Error(config)
// thrown by a group's visit_options becomes a problem at the place of the group's `_target_`, or of its map.
class OptionReader : public OptionVisitor {
  public:
    // `prefix` comes before the keys in messages ("sampling.").
    OptionReader(const Node& map, std::string prefix, const ReadContext& context);

    void visit(const Option& option, bool& value) override;
    void visit(const Option& option, std::int64_t& value) override;
    void visit(const Option& option, double& value) override;
    void visit(const Option& option, std::string& value) override;
    void visit(const Option& option, std::optional<bool>& value) override;
    void visit(const Option& option, std::optional<std::int64_t>& value) override;
    void visit(const Option& option, std::optional<std::string>& value) override;
    void visit(const Option& option, std::vector<bool>& value) override;
    void visit(const Option& option, std::vector<std::int64_t>& value) override;
    void visit(const Option& option, std::vector<double>& value) override;
    void visit(const Option& option, std::vector<std::string>& value) override;
    void visit(const Option& option, std::array<std::int64_t, 3>& value) override;
    void visit(const Option& option, std::array<double, 3>& value) override;
    void visit(const Option& option, PerLevel& value) override;
    void visit(const Option& option, RawOptions& value) override;
    void visit(const Option& option, OptionMap& map) override;
    void visit(const Option& option, OptionGroup& group) override;

    // Reports the keys that no option took, except `accepted` ones.
    void finish(const std::set<std::string>& accepted = {});

  private:
    const Node* take(const Option& option);
    void problem(const Node& node, const std::string& key, const std::string& expected);
    template <class Value>
    bool read(const Option& option, const std::string& key, const Node& node, Value& value);
    template <class Value>
    void read_scalar(const Option& option, Value& value);
    template <class Value>
    void read_optional(const Option& option, std::optional<Value>& value);
    template <class Value>
    bool read_items(const Option& option, const Node& node, std::vector<Value>& value);
    template <class Value>
    void read_list(const Option& option, std::vector<Value>& value);
    template <class Value>
    void read_triple(const Option& option, std::array<Value, 3>& value);
    void unknown(const NodeEntry& entry);

    const Node& map_;
    std::string prefix_;
    const ReadContext& context_;
    std::vector<std::string> known_;
};

// Reads all of `map` into `group`: visits, then reports unknown keys. A map that is none is a problem. Keys of
// `accepted` are left alone.
void read_options(OptionGroup& group, const Node& map, const std::string& prefix, const ReadContext& context,
                  const std::set<std::string>& accepted = {});

}  // namespace voldiff

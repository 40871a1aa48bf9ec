// The visitors behind `to_node` and `option_rows`.
#include "io/config/print.h"
#include "io/config/scalar.h"

namespace voldiff {

namespace {

Node node_of(bool value) { return make_scalar(value ? "true" : "false"); }
Node node_of(std::int64_t value) { return make_scalar(std::to_string(value)); }
Node node_of(double value) { return make_scalar(format_number(value)); }

Node node_of(const std::string& value) {
    Node node = make_scalar(value);
    node.quoted = true;
    return node;
}

template <class Value>
Node node_of(const std::optional<Value>& value) {
    return value ? node_of(*value) : Node{};
}

template <class Values>
Node list_of(const Values& values) {
    Node node;
    node.kind = NodeKind::sequence;
    for (auto&& value : values) node.items.push_back(node_of(value));
    return node;
}

template <class Value>
Node node_of(const std::vector<Value>& values) {
    return list_of(values);
}

// std::vector<bool> hands out proxies.
Node node_of(const std::vector<bool>& values) {
    Node node;
    node.kind = NodeKind::sequence;
    for (const bool value : values) node.items.push_back(node_of(value));
    return node;
}

template <class Value>
Node node_of(const std::array<Value, 3>& values) {
    return list_of(values);
}

Node node_of(const PerLevel& value) {
    return value.same_for_all && value.values.size() == 1 ? node_of(value.values.front()) : list_of(value.values);
}

Node node_of(const RawOptions& value) {
    const Node* node = std::any_cast<Node>(&value.tree);
    return node == nullptr ? make_map() : *node;
}

// Sends every type of value to one place.
class ValueVisitor : public OptionVisitor {
  public:
    void visit(const Option& o, bool& v) override { see(o, "true or false", node_of(v)); }
    void visit(const Option& o, std::int64_t& v) override { see(o, "integer", node_of(v)); }
    void visit(const Option& o, double& v) override { see(o, "number", node_of(v)); }
    void visit(const Option& o, std::string& v) override { see(o, "text", node_of(v)); }
    void visit(const Option& o, std::optional<bool>& v) override { see(o, "true, false or null", node_of(v)); }
    void visit(const Option& o, std::optional<std::int64_t>& v) override { see(o, "integer or null", node_of(v)); }
    void visit(const Option& o, std::optional<std::string>& v) override { see(o, "text or null", node_of(v)); }
    void visit(const Option& o, std::vector<bool>& v) override { see(o, "list of true or false", node_of(v)); }
    void visit(const Option& o, std::vector<std::int64_t>& v) override { see(o, "list of integers", node_of(v)); }
    void visit(const Option& o, std::vector<double>& v) override { see(o, "list of numbers", node_of(v)); }
    void visit(const Option& o, std::vector<std::string>& v) override { see(o, "list of texts", node_of(v)); }
    void visit(const Option& o, std::array<std::int64_t, 3>& v) override { see(o, "3 integers", node_of(v)); }
    void visit(const Option& o, std::array<double, 3>& v) override { see(o, "3 numbers", node_of(v)); }
    void visit(const Option& o, PerLevel& v) override { see(o, "integer or list of integers", node_of(v)); }
    void visit(const Option& o, RawOptions& v) override { see(o, "map", node_of(v)); }
    void visit(const Option& o, OptionMap& map) override = 0;
    void visit(const Option& o, OptionGroup& group) override = 0;

  private:
    virtual void see(const Option& option, const char* type, Node value) = 0;
};

class NodeWriter : public ValueVisitor {
  public:
    NodeWriter(const Origins& origins, std::string prefix) : origins_(origins), prefix_(std::move(prefix)) {}
    using ValueVisitor::visit;

    void visit(const Option& option, OptionMap& entries) override {
        NodeWriter inner(origins_, prefix_ + option.key + ".");
        for (const auto& [name, group] : entries.entries()) inner.visit(Option(name, ""), *group);
        map.entries.push_back({option.key, {}, std::move(inner.map)});
    }
    void visit(const Option& option, OptionGroup& group) override {
        NodeWriter inner(origins_, prefix_ + option.key + ".");
        group.visit_options(inner);
        map.entries.push_back({option.key, {}, std::move(inner.map)});
    }

    Node map = make_map();

  private:
    void see(const Option& option, const char* /*type*/, Node value) override {
        const auto origin = origins_.find(prefix_ + option.key);
        if (origin != origins_.end()) value.mark = origin->second;
        map.entries.push_back({option.key, value.mark, std::move(value)});
    }

    const Origins& origins_;
    std::string prefix_;
};

class RowWriter : public ValueVisitor {
  public:
    explicit RowWriter(std::string prefix) : prefix_(std::move(prefix)) {}
    using ValueVisitor::visit;

    void visit(const Option& option, OptionMap& /*entries*/) override { see(option, "map of maps", make_map()); }
    void visit(const Option& option, OptionGroup& group) override {
        RowWriter inner(prefix_ + option.key + ".");
        group.visit_options(inner);
        rows.insert(rows.end(), inner.rows.begin(), inner.rows.end());
    }

    std::vector<OptionRow> rows;

  private:
    void see(const Option& option, const char* type, Node value) override {
        const std::string shown = option.required ? "required" : to_flow_yaml(value);
        rows.push_back({prefix_ + option.key, type, option.unit, describe_range(option), shown, option.help});
    }

    std::string prefix_;
};

}  // namespace

Node to_node(OptionGroup& group, const Origins& origins) {
    NodeWriter writer(origins, "");
    group.visit_options(writer);
    return std::move(writer.map);
}

std::vector<OptionRow> option_rows(OptionGroup& group, const std::string& prefix) {
    RowWriter writer(prefix);
    group.visit_options(writer);
    return std::move(writer.rows);
}

}  // namespace voldiff

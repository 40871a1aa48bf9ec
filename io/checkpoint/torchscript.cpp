#include "io/checkpoint/torchscript.h"

#include "io/checkpoint/byte_reader.h"
#include "io/checkpoint/message.h"

#include <set>

namespace voldiff {
namespace {

using Names = std::set<std::string, std::less<>>;
using ClassTable = std::map<std::string, Names, std::less<>>;

bool begins_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

// The texts in quotes of `  __buffers__ = ["mean", "var", ]`.
void add_quoted(std::string_view line, Names& names) {
    for (auto start = line.find('"'); start != std::string_view::npos; start = line.find('"', start + 1)) {
        const auto end = line.find('"', start + 1);
        if (end == std::string_view::npos) {
            return;
        }
        names.emplace(line.substr(start + 1, end - start - 1));
        start = end;
    }
}

// Names of parameters and buffers of every class in a source.
ClassTable parse_classes(std::string_view source) {
    constexpr std::string_view kClass = "class ";
    ClassTable classes;
    Names* current = nullptr;
    for (ByteReader reader(source); reader.rest().find('\n') != std::string_view::npos;) {
        const auto line = reader.take_line();
        if (begins_with(line, kClass)) {
            const auto name = line.substr(kClass.size(), line.find_first_of("(:") - kClass.size());
            current = &classes[std::string(name)];
        } else if (current && (begins_with(line, "  __parameters__ = [") || begins_with(line, "  __buffers__ = ["))) {
            add_quoted(line, *current);
        }
    }
    return classes;
}

class ModuleFlattener {
  public:
    ModuleFlattener(const ScriptSource& source, TensorReader& tensors, StateDict& weights)
        : source_(source), tensors_(tensors), weights_(weights) {}

    void visit(const PickleValue& module, const std::string& prefix, int depth) {
        const auto attributes = module.state ? mapping_of(*module.state) : std::nullopt;
        if (!attributes) {
            return;
        }
        if (depth > kDeepest) {
            refuse_weights("has modules nested deeper than ", kDeepest);
        }
        // Modules may be shared, so neither the number nor the length of paths is bounded by the size of the file.
        visited_ += attributes->size();
        if (visited_ > kMostAttributes) {
            refuse_weights("has more than ", kMostAttributes, " module attributes");
        }
        if (!is_usable_name(prefix)) {
            refuse_weights("the module name ", in_quotes(prefix), " is too long");
        }
        const auto* declared = declared_names(*module.callable);
        for (const auto& [name, value] : *attributes) {
            if (is_torchscript(*value)) {
                visit(*value, prefix + name + ".", depth + 1);
            } else if (declared == nullptr || declared->count(name) != 0) {
                insert(prefix + name, *value);
            }
        }
    }

  private:
    static constexpr int kDeepest = 64;
    static constexpr std::size_t kMostAttributes = 500'000;

    // Null where the archive has no source.
    const Names* declared_names(const PickleValue& type) {
        static const Names none;
        const std::string module_name(type.text);
        auto known = classes_.find(module_name);
        if (known == classes_.end()) {
            const auto text = source_(module_name);
            known = classes_.emplace(module_name, parse_classes(text.bytes)).first;
        }
        if (known->second.empty()) {
            return nullptr;
        }
        const auto found = known->second.find(type.name);
        return found == known->second.end() ? &none : &found->second;
    }

    void insert(const std::string& path, const PickleValue& value) {
        auto tensor = tensors_.read(path, value);
        if (!tensor) {
            return;  // a bias that is None, say
        }
        if (!is_usable_name(path) || weights_.contains(path)) {
            refuse_weights("the tensor name ", in_quotes(path), " is too long or appears twice");
        }
        weights_.insert(path, std::move(*tensor));
    }

    const ScriptSource& source_;
    TensorReader& tensors_;
    StateDict& weights_;
    std::map<std::string, ClassTable> classes_;
    std::size_t visited_ = 0;
};

}  // namespace

bool is_torchscript(const PickleValue& root) {
    return root.kind == PickleValue::Kind::object && root.callable->kind == PickleValue::Kind::global &&
           begins_with(root.callable->text, "__torch__");
}

void flatten_torchscript(const PickleValue& root, const ScriptSource& source, TensorReader& tensors,
                         StateDict& weights) {
    ModuleFlattener(source, tensors, weights).visit(root, "", 0);
}

}  // namespace voldiff

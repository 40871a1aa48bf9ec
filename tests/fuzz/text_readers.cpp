// The readers of text that people write: configs and tables.
#include "app/batch/csv.h"
#include "core/error.h"
#include "core/option.h"
#include "io/config/print.h"
#include "io/config/reader.h"
#include "io/config/yaml.h"
#include "tests/fuzz/readers.h"

#include <cstdlib>

namespace voldiff::fuzz {
namespace {

struct Inner : OptionGroup {
    std::array<double, 3> triple{1, 2, 3};
    std::vector<std::string> words;
    void visit_options(OptionVisitor& v) override {
        v.visit(Option("d", "three numbers").in(0, 1e6), triple);
        v.visit(Option("e", "words"), words);
    }
};

// Options of every kind, with short names that a fuzzer finds.
struct AllKinds : OptionGroup {
    bool flag = false;
    std::int64_t count = 0;
    double number = 0;
    std::string text;
    std::vector<std::int64_t> list;
    std::array<std::int64_t, 3> size{1, 1, 1};
    PerLevel levels{1};
    RawOptions raw;
    OptionMapOf<Inner> map;
    Inner group;
    void visit_options(OptionVisitor& v) override {
        v.visit(Option("b", "a flag"), flag);
        v.visit(Option("i", "an integer").in(-10, 1e9).also_called("j"), count);
        v.visit(Option("n", "a number"), number);
        v.visit(Option("t", "a text"), text);
        v.visit(Option("l", "integers"), list);
        v.visit(Option("s", "a size").in(1, 65536), size);
        v.visit(Option("p", "levels"), levels);
        v.visit(Option("r", "raw"), raw);
        v.visit(Option("m", "a map"), map);
        v.visit(Option("g", "a group"), group);
    }
};

void read_all(AllKinds& kinds, const Node& root) {
    Problems problems;
    const ReadContext context{&problems, nullptr, {"g.d"}};
    read_options(kinds, root, "", context);
    problems.throw_if_any();
}

// What is read is printed and read again, to the same text.
void read_config(std::string_view bytes) {
    const Node root = parse_yaml(std::string(bytes), "fuzz.yaml");
    to_json(root);
    if (root.kind != NodeKind::map) return;
    AllKinds kinds;
    read_all(kinds, root);
    const std::string text = to_yaml(to_node(kinds), false);
    AllKinds again;
    read_all(again, parse_yaml(text, "again.yaml"));
    if (to_yaml(to_node(again), false) != text) std::abort();
}

void read_table(std::string_view bytes) { parse_csv(std::string(bytes), "fuzz.csv"); }

template <ReadBytes read>
void read_or_refuse(std::string_view bytes) {
    try {
        read(bytes);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::config) throw;
    }
}

}  // namespace

const std::vector<Reader>& text_readers() {
    static const std::vector<Reader> readers{
        {"config", read_or_refuse<read_config>},
        {"csv", read_or_refuse<read_table>},
    };
    return readers;
}

}  // namespace voldiff::fuzz

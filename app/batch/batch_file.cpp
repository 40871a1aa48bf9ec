#include "app/batch/batch_file.h"

#include "app/batch/csv.h"
#include "app/batch/file_pattern.h"
#include "app/seeds.h"
#include "core/error.h"
#include "core/text.h"
#include "io/checkpoint/hash.h"
#include "io/config/config_file.h"
#include "io/config/print.h"
#include "io/config/scalar.h"
#include "io/config/yaml.h"
#include "io/file.h"

#include <cctype>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> entry_keys = {"config", "seeds", "matrix", "set", "csv"};
constexpr std::size_t longest_label = 40;
constexpr std::size_t longest_name_part = 100;

struct Axis {
    std::string key;
    std::vector<Node> values;
};

Override setting(const std::string& key, Node value) {
    Override entry{key, "", ""};
    entry.node = std::move(value);
    return entry;
}

std::string list_text(const Node& node) {
    if (node.kind == NodeKind::scalar) return node.text;
    std::string text;
    for (const Node& item : node.items) text += (text.empty() ? "" : ",") + item.text;
    return text;
}

std::vector<std::int64_t> seeds_of(const Node& node) {
    return parse_seeds(list_text(node), node.mark.text() + ": 'seeds'", ErrorCode::config);
}

// One entry of `runs`, or the table of a file by itself.
class EntryReader {
  public:
    EntryReader(const Node& entry, Problems& problems, std::vector<Cell>& cells)
        : entry_(entry), problems_(problems), cells_(cells) {}

    void read() {
        if (entry_.kind != NodeKind::map)
            return problems_.add(entry_.mark, "a run is " + describe(entry_) + ", expected a map with 'config'");
        for (const NodeEntry& each : entry_.entries) check_key(each);
        const std::size_t before = problems_.size();
        read_base();
        if (const Node* csv = entry_.find("csv")) return read_csv(*csv);
        if (base_.config.empty() && problems_.size() == before)
            problems_.add(entry_.mark, "a run without 'config', expected the path of a run config");
        if (problems_.size() == before) expand(read_matrix());
    }

  private:
    void check_key(const NodeEntry& each) {
        for (const std::string& key : entry_keys)
            if (each.key == key) return;
        const std::string near = nearest(each.key, entry_keys);
        problems_.add(each.mark,
                      "unknown key " + show_text(each.key) + " of a run; " +
                          (near.empty() ? "expected one of " + join(entry_keys) : "did you mean '" + near + "'?"));
    }

    // Tells an Error at the place of a value, so that the others are told as well.
    template <class Action>
    void at(const Mark& mark, Action action) {
        try {
            action();
        } catch (const Error& error) {
            const std::string place = mark.text() + ": ";
            const std::string text = error.what();
            problems_.add(mark, text.rfind(place, 0) == 0 ? text.substr(place.size()) : text);
        }
    }

    void read_base() {
        base_.place = entry_.mark.text();
        if (const Node* config = entry_.find("config")) set_config(base_, *config);
        if (const Node* seeds = entry_.find("seeds")) at(seeds->mark, [&] { base_.seeds = seeds_of(*seeds); });
        const Node* set = entry_.find("set");
        if (set == nullptr) return;
        if (set->kind != NodeKind::map)
            return problems_.add(set->mark, "'set' is " + describe(*set) + ", expected a map of key paths");
        for (const NodeEntry& each : set->entries) base_.settings.push_back(setting(each.key, each.value));
    }

    void set_config(Cell& cell, const Node& node) {
        if (node.kind != NodeKind::scalar || node.text.empty())
            return problems_.add(node.mark, "'config' is " + describe(node) + ", expected the path of a run config");
        cell.config = fs::path(*node.mark.source).parent_path() / node.text;
        std::error_code ignored;
        // One that is missing stays a run, which fails alone.
        if (!fs::exists(cell.config, ignored))
            at(node.mark, [&] {
                try {
                    cell.config = find_config(node.text, node.mark);
                } catch (const Error& error) {
                    if (error.code() != ErrorCode::io) throw;
                }
            });
    }

    std::vector<Axis> read_matrix() {
        std::vector<Axis> axes;
        const Node* matrix = entry_.find("matrix");
        if (matrix == nullptr) return axes;
        if (matrix->kind != NodeKind::map) {
            problems_.add(matrix->mark, "'matrix' is " + describe(*matrix) + ", expected a map of key paths to lists");
            return axes;
        }
        for (const NodeEntry& each : matrix->entries) {
            if (each.key == "seeds" || each.key == "sampling.seed")
                at(each.mark, [&] { base_.seeds = seeds_of(each.value); });
            else
                at(each.value.mark, [&] { axes.push_back({each.key, axis_values(each)}); });
        }
        return axes;
    }

    static std::vector<Node> axis_values(const NodeEntry& each) {
        std::vector<Node> values;
        const bool pattern = each.value.kind == NodeKind::scalar && has_wildcard(each.value.text);
        const std::vector<Node> given = pattern ? std::vector<Node>{each.value} : each.value.items;
        for (const Node& item : given) {
            if (item.kind != NodeKind::scalar || !has_wildcard(item.text)) {
                values.push_back(item);
                continue;
            }
            const fs::path folder = fs::path(*item.mark.source).parent_path();
            for (const fs::path& file : matching_files(folder / item.text)) {
                Node path = make_scalar(fs::absolute(file).lexically_normal().string(), item.mark);
                path.quoted = true;
                values.push_back(path);
            }
        }
        if (values.empty())
            throw Error(ErrorCode::config, "'" + each.key + "' of a matrix is " + describe(each.value) +
                                               ", expected a list of values, or a pattern like masks/*.nii.gz");
        return values;
    }

    void expand(const std::vector<Axis>& axes) {
        std::size_t count = std::max<std::size_t>(1, base_.seeds.size());
        for (const Axis& axis : axes) {
            if (axis.values.size() > most_runs / count) return too_many();
            count *= axis.values.size();
        }
        std::vector<std::size_t> digits(axes.size(), 0);
        while (true) {
            Cell cell = base_;
            for (std::size_t i = 0; i < axes.size(); ++i) {
                const Node& value = axes[i].values[digits[i]];
                cell.settings.push_back(setting(axes[i].key, value));
                cell.labels.emplace_back(axes[i].key, label_of(value));
            }
            add(std::move(cell));
            std::size_t i = axes.size();
            while (i > 0 && ++digits[i - 1] == axes[i - 1].values.size()) digits[--i] = 0;
            if (i == 0) return;
        }
    }

    void add(Cell cell) {
        if (cells_.size() >= most_runs) return too_many();
        cells_.push_back(std::move(cell));
    }

    void too_many() {
        problems_.add(entry_.mark, "more than " + std::to_string(most_runs) + " runs; expected fewer in one batch");
    }

    void read_csv(const Node& csv) {
        if (entry_.find("matrix") != nullptr)
            return problems_.add(csv.mark, "'csv' and 'matrix' of one run exclude each other");
        if (csv.kind != NodeKind::scalar)
            return problems_.add(csv.mark, "'csv' is " + describe(csv) + ", expected the path of a table");
        at(csv.mark, [&] {
            const fs::path file = fs::path(*csv.mark.source).parent_path() / csv.text;
            const std::vector<CsvRow> rows = parse_csv(read_text(file), file.string());
            if (rows.empty()) throw Error(ErrorCode::config, file.string() + ": the table is empty");
            for (std::size_t i = 1; i < rows.size(); ++i) read_row(rows.front().cells, rows[i], file.string());
        });
    }

    void read_row(const std::vector<std::string>& keys, const CsvRow& row, const std::string& source) {
        const Mark start = mark_of(source, row.line, 1);
        if (row.cells.size() != keys.size())
            return problems_.add(start, "the row has " + std::to_string(row.cells.size()) + " cells, expected " +
                                            std::to_string(keys.size()));
        Cell cell = base_;
        cell.place = start.text();
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (row.cells[i].empty()) continue;
            const Mark mark = mark_of(source, row.line, static_cast<int>(i) + 1);
            at(mark, [&] { read_cell(cell, keys[i], row.cells[i], mark); });
        }
        if (cell.config.empty())
            return problems_.add(start, "the row names no config; expected a column 'config', or one for all");
        add(std::move(cell));
    }

    void read_cell(Cell& cell, const std::string& key, const std::string& text, const Mark& mark) {
        Node value = parse_option_value(text, *mark.source);
        value.mark = mark;
        if (key == "config") return set_config(cell, value);
        if (key == "seed" || key == "seeds" || key == "sampling.seed") {
            cell.seeds = seeds_of(value);
            return;
        }
        if (key.rfind("output.", 0) != 0) cell.labels.emplace_back(key, label_of(value));
        cell.settings.push_back(setting(key, std::move(value)));
    }

    const Node& entry_;
    Problems& problems_;
    std::vector<Cell>& cells_;
    Cell base_;
};

// A table by itself is a jobs file with one entry.
Node load_entries(const fs::path& file) {
    if (extension(file) != ".csv") return load_yaml(file);
    const Mark mark = mark_of((file.parent_path() / "").string(), 1, 1);
    Node entry = make_map(mark);
    entry.entries.push_back({"csv", mark, make_scalar(file.filename().string(), mark)});
    Node runs = make_map(mark);
    runs.kind = NodeKind::sequence;
    runs.items.push_back(entry);
    Node root = make_map(mark);
    root.entries.push_back({"runs", mark, runs});
    return root;
}

}  // namespace

std::string label_of(const Node& value) {
    std::string text = value.text;
    if (const fs::path path = text; path.has_parent_path() || !extension(path).empty()) {
        const std::string name = path.filename().string();
        const std::string kind = extension(path);
        if (!parse_number(text)) text = name.substr(0, name.size() - kind.size());
    }
    for (const Node& item : value.items) text += (text.empty() ? "" : "x") + label_of(item);
    for (const NodeEntry& entry : value.entries)
        text += (text.empty() ? "" : "-") + entry.key + "-" + label_of(entry.value);
    for (char& c : text)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_') c = '-';
    return text.substr(0, longest_label);
}

std::string name_part(const Cell& cell) {
    std::string part;
    for (const auto& [key, text] : cell.labels) part += "_" + text;
    if (part.size() <= longest_name_part) return part;
    return part.substr(0, longest_name_part - 9) + "-" + sha256_of_bytes(part).substr(0, 8);
}

std::vector<Cell> read_batch_file(const fs::path& file) {
    const Node root = load_entries(file);
    Problems problems;
    std::vector<Cell> cells;
    const Node* runs = root.find("runs");
    if (runs == nullptr || runs->kind != NodeKind::sequence || runs->items.empty()) {
        problems.add(root.mark, "this is no jobs file: expected 'runs', a list with a 'config' in each entry");
    } else {
        for (const Node& entry : runs->items) EntryReader(entry, problems, cells).read();
    }
    for (const NodeEntry& each : root.entries)
        if (each.key != "runs") problems.add(each.mark, "unknown key " + show_text(each.key) + ", expected 'runs'");
    problems.throw_if_any();
    return cells;
}

}  // namespace voldiff

#include "app/comparison_table.h"

#include "app/measures.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace voldiff {

namespace {

using Row = std::vector<std::string>;

// Four digits, all of them before the point.
std::string cell(const Report& number, double unit_size = 1) {
    if (!number.is_number()) return "-";
    const double value = number.get<double>() / unit_size;
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), std::abs(value) < 1000 ? "%.4g" : "%.0f", value);
    return text.data();
}

// What no pair has gets no column.
std::vector<Measure> known_measures(const Report& report) {
    std::vector<Measure> known;
    for (const Measure& each : measures(report["unit"]))
        if (!report["summary"][each.key].is_null()) known.push_back(each);
    return known;
}

void print_measures(std::ostream& out, const Report& report) {
    const std::vector<Measure> known = known_measures(report);
    std::vector<Row> rows(2, {""});
    for (const Measure& each : known) {
        rows[0].push_back(each.title);
        rows[1].push_back(each.unit);
    }
    for (const Report& pair : report["pairs"]) {
        Row row{pair["seed"].is_null() ? "A and B" : "seed " + pair["seed"].dump()};
        for (const Measure& each : known) row.push_back(cell(pair[each.key], each.unit_size));
        rows.push_back(row);
    }
    if (report["pairs"].size() > 1) {
        for (const char* kind : {"mean", "minimum", "maximum"}) {
            Row row{kind};
            for (const Measure& each : known) row.push_back(cell(report["summary"][each.key][kind], each.unit_size));
            rows.push_back(row);
        }
    }
    print_columns(out, rows);
}

void print_labels(std::ostream& out, const Report& report) {
    const bool several = report["pairs"].size() > 1;
    std::vector<Row> rows = {{several ? "median (mean of all seeds)" : "median", "A", "B", "B - A"}};
    if (several) rows[0].insert(rows[0].end(), {"minimum", "maximum"});
    for (const Report& label : report["summary"]["labels"]) {
        const Report& difference = label["difference"];
        Row row{"label " + label["label"].dump(), cell(label["median_a"]), cell(label["median_b"]),
                cell(difference["mean"])};
        if (several) row.insert(row.end(), {cell(difference["minimum"]), cell(difference["maximum"])});
        rows.push_back(row);
    }
    out << "\n";
    print_columns(out, rows);
}

}  // namespace

void print_comparison(std::ostream& out, const Report& report) {
    print_measures(out, report);
    if (report["summary"].contains("labels")) print_labels(out, report);
}

}  // namespace voldiff

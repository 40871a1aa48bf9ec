// Values as people read them in tables on stdout.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace voldiff {

using Report = nlohmann::ordered_json;  // the same facts for people and, with --json, for programs

// Indented JSON and a line break; bytes that are no UTF-8 are replaced.
void print_json(std::ostream& out, const Report& report);

// "name       value" lines, names padded alike.
void print_field(std::ostream& out, const std::string& name, const std::string& value);

// Rows of cells in columns: the first to the left, numbers to the right. Rows may be short.
void print_columns(std::ostream& out, const std::vector<std::vector<std::string>>& rows);

// `text` with '?' for everything that is not printable ASCII: names in files may hold anything.
std::string printable(std::string text);

std::string with_thousands(std::uint64_t number);  // "1,234,567"
std::string byte_size(std::uint64_t bytes);        // "1.5 GiB"
std::string short_number(double value);            // six digits

// "a, b, c" of a list in a report.
std::string join_values(const Report& list, const std::string& separator = ", ");

}  // namespace voldiff

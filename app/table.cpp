#include "app/table.h"

#include "core/text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iomanip>

namespace voldiff {

void print_json(std::ostream& out, const Report& report) {
    out << report.dump(2, ' ', false, Report::error_handler_t::replace) << "\n";
}

void print_field(std::ostream& out, const std::string& name, const std::string& value) {
    out << std::left << std::setw(14) << name << " " << value << "\n";
}

void print_columns(std::ostream& out, const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string pad(widths[i] - row[i].size(), ' ');
            out << (i == 0 ? row[i] + pad : "  " + pad + row[i]);
        }
        out << "\n";
    }
}

std::string printable(std::string text) {
    for (char& c : text)
        if (c < ' ' || c > '~') c = '?';
    return text;
}

std::string with_thousands(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
    return text;
}

std::string short_number(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6g", value);
    return text.data();
}

std::string byte_size(std::uint64_t bytes) {
    static const std::array<const char*, 5> units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units.at(unit));
    return text.data();
}

std::string join_values(const Report& list, const std::string& separator) {
    std::vector<std::string> words;
    for (const Report& value : list) {
        if (value.is_string())
            words.push_back(value.get<std::string>());
        else
            words.push_back(value.is_number_float() ? short_number(value.get<double>()) : value.dump());
    }
    return join(words, separator);
}

}  // namespace voldiff

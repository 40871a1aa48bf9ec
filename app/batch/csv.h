// Tables of comma-separated values (RFC 4180).
#pragma once

#include <string>
#include <vector>

namespace voldiff {

struct CsvRow {
    int line = 0;  // where it begins, from 1
    std::vector<std::string> cells;
};

// Cells in double quotes may hold commas, line breaks and doubled quotes; lines end in \n or \r\n; empty lines are left
// out; a byte order mark is skipped. Throws Error(config) with `source:line` for a quote that is left open or stands
// within a cell.
std::vector<CsvRow> parse_csv(const std::string& text, const std::string& source);

}  // namespace voldiff

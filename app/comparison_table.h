// The report of a comparison for people.
#pragma once

#include "app/table.h"

namespace voldiff {

// A row a pair and, for several, mean, minimum and maximum; then the medians of the labels. `report`: of
// `compare_files`.
void print_comparison(std::ostream& out, const Report& report);

}  // namespace voldiff

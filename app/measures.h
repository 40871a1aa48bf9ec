// What `voldiff compare` says about two volumes, in one table: a new number is a line in measures.cpp.
#pragma once

#include "app/table.h"
#include "io/sidecar.h"

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace voldiff {

// Two volumes on the same voxels, [X, Y, Z], finite, and how they were made.
struct VolumePair {
    at::Tensor a;
    at::Tensor b;
    double data_range = 0;              // of the intensities, above 0
    std::vector<StageRecord> stages_a;  // none where nobody knows
    std::vector<StageRecord> stages_b;
};

struct Measure {
    std::string key;    // in JSON
    std::string title;  // in the table
    std::string unit;   // in the table
    double unit_size;   // of that unit in the unit of JSON
    // A number, or null where there is none. Infinity is a number here; in JSON it is written as null.
    Report (*of)(const VolumePair& pair);
};

// `intensity`: unit of the voxels, "HU" or "".
std::vector<Measure> measures(const std::string& intensity);

// {"mae": 1.5, ...}
Report measure(const VolumePair& pair);

// {"mae": {"mean": 1.5, "minimum": 1, "maximum": 2}, ...} of such reports; null where none of them has a number.
Report summarise_measures(const Report& reports);

// Mean, minimum and maximum of numbers; null without any.
Report summary_of(const std::vector<double>& values);

}  // namespace voldiff

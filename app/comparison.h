// Two volume files, or many pairs of them, in numbers and as pictures.
#pragma once

#include "app/commands/commands.h"
#include "app/table.h"
#include "io/volume/volume.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace voldiff {

struct ComparedFiles {
    std::optional<std::int64_t> seed;  // of runs
    std::filesystem::path a;
    std::filesystem::path b;
    std::filesystem::path picture;  // PNG to write
};

// Where the voxels of something are, and what to call it in a message.
struct Grid {
    std::string name;
    std::array<std::int64_t, 3> size;  // voxels
    Affine affine;
};

// Throws Error(io), naming both, where the sizes differ or a voxel of one is more than a tenth of a voxel away from
// that of the other.
void check_same_grid(const Grid& a, const Grid& b);

struct LabelMap {
    Grid grid;
    at::Tensor labels;  // [X, Y, Z], int32, axes in RAS order
};

// Throws as `read_volume`, and Error(io) for values that are no whole numbers.
LabelMap read_label_map(const std::filesystem::path& file);

struct ComparisonSettings {
    bool is_mr = false;
    std::optional<double> data_range;         // else 2000 HU for CT, and max - min of volume A for MR
    std::optional<double> difference_window;  // full colour of the picture; else 200 HU, for MR half the image's window
    std::optional<LabelMap> labels;
};

// Reads each pair, both with axes in RAS order, writes its picture, and returns
//   {"unit": "HU", "pairs": [{"seed", "a", "b", "picture", "data_range", "mae", ..., "labels"}], "summary": {...}}.
// Two volumes at a time are in memory. Throws as `read_volume` and `check_same_grid`, Error(numerical) for voxels that
// are NaN, infinite or beyond float32, and Error(config) where a constant MR volume gives no data range.
Report compare_files(const std::vector<ComparedFiles>& pairs, const ComparisonSettings& settings, Context& context);

}  // namespace voldiff

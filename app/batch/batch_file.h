// Lists of runs: jobs files and CSV tables, expanded in a stated order.
//
//   runs:
//     - config: demo.yaml                # relative to the jobs file, else a shipped one
//       seeds: 0..99                     # a range or a list; without it the config's own
//       matrix: {image.modality: [ct, mri_t1], mask.file: masks/*.nii.gz}
//       set: {output.directory: night}
//     - csv: more.csv                    # a row a run; columns: config, seed or seeds, and key paths
//
// The order: entries as written; of a matrix the first key changes slowest; rows as written; seeds change fastest. Of
// values for one key, a matrix or a row wins over `set`, and that over the config.
#pragma once

#include "io/config/run_config.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace voldiff {

constexpr std::size_t most_runs = 100000;  // of a batch

// Runs that differ in their seeds alone.
struct Cell {
    std::filesystem::path config;
    std::vector<Override> settings;
    std::vector<std::pair<std::string, std::string>> labels;  // what tells it from its neighbours: key path, short text
    std::vector<std::int64_t> seeds;                          // none: the config's own
    std::string place;                                        // "jobs.yaml:2:5"
};

// A file that ends in .csv is a table, any other a jobs file. Throws Error(config) with all mistakes of the file,
// Error(io) where a file cannot be read or a pattern fits none; Error(config) for more than `most_runs` runs.
std::vector<Cell> read_batch_file(const std::filesystem::path& file);

// Letters, digits, '.', '-' and '_' of a value, for names of files: "mask_00" of masks/mask_00.nii.gz, "64x64x32" of
// [64, 64, 32].
std::string label_of(const Node& value);

// The labels of a cell as part of a file name, "_ct_mask_00" or "": long ones end in a hash.
std::string name_part(const Cell& cell);

}  // namespace voldiff

// Run configs that are compared: from the command line to the volumes of both sides on the disk.
#pragma once

#include "app/commands/commands.h"
#include "app/comparison.h"
#include "app/output_name.h"
#include "io/config/run_config.h"

#include <filesystem>
#include <string>
#include <vector>

namespace voldiff {

// Where a comparison writes.
struct ComparisonFolder {
    std::filesystem::path path = "output/compare";
    bool force = false;

    // Throws Error(io) where the file exists and may not be replaced.
    void check_new(const std::filesystem::path& file) const;
};

// What is asked for of run configs, as the command line has it.
struct RunsRequest {
    std::string seeds;                // of `parse_seeds`; empty: those of A
    std::vector<std::string> ablate;  // of `flipped_options`
    std::vector<std::string> sets;    // "key.path=value" for both
    std::vector<std::string> sets_b;  // for B alone
    std::string models;

    bool any() const;
};

// A run config, the name it goes by, and the files it is to make.
struct Side {
    std::string name;  // "a.yaml", "a.yaml with sampling.steps=10"
    RunConfig run;
    std::vector<OutputFiles> outputs;
};

// A and B. One file stands for both, where B does something differently. Volumes go to the folders `a` and `b`.
// Throws Error(usage) where it is not clear what B is, and as `load_run_config` and `check_comparable`.
std::vector<Side> load_sides(const std::vector<std::string>& files, const RunsRequest& request,
                             const ComparisonFolder& folder);

// Fills in the outputs of both sides and returns a pair a seed, its picture named after the seed. Nothing of them is
// there, or may be replaced, and all can be written; else throws Error(io).
std::vector<ComparedFiles> plan_pairs(const RunsRequest& request, const ComparisonFolder& folder,
                                      std::vector<Side>& sides);

// One side after the other, so that one model at a time is in memory. That of B is loaded once more, before the work of
// A: what is wrong with it should not show only when A is done. Throws as `Generation`.
void generate_sides(const std::vector<Side>& sides, Context& context);

}  // namespace voldiff

// The runs of a batch, each checked: what it is, where its files go, and what is wrong with it.
#pragma once

#include "app/batch/batch_file.h"
#include "app/model_store.h"
#include "app/output_name.h"
#include "core/decode/decode.h"
#include "core/error.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace voldiff {

struct BatchSettings {
    std::filesystem::path root = ".";  // nothing is written outside
    std::filesystem::path models;      // --models
    std::vector<Override> overrides;   // --set, over all that the jobs file says
    bool beyond_training = false;      // --force
    bool allow_torchscript = false;    // weights that are programs
};

// What a run will need, as far as its options say.
struct Work {
    std::vector<std::int64_t> size;  // voxels
    std::int64_t steps = 0;
    double latent_voxels = 0;
    double parameters = 0;  // of the weight files, about
    DecodeOptions decode;   // that fit this machine's memory
    std::string kind;       // runs of one kind take the same time: a hash
};

// One volume.
struct Job {
    std::size_t number = 0;                // from 1, in the order of the batch
    std::shared_ptr<const RunConfig> run;  // of all the seeds of a cell; none where `problem` says why
    OutputFiles files;
    std::string id;     // see RunIdentity
    std::string label;  // "demo ct mask_00"
    std::shared_ptr<const Work> work;
    std::optional<Error> problem;
};

// Loads and checks every run, in order. What is wrong with one (its config, its inputs, its place, its memory) stays in
// its `problem`. Throws Error(config) for two runs that would write the same file and for more than `most_runs`.
std::vector<Job> plan_jobs(const std::vector<Cell>& cells, const BatchSettings& settings, ModelStore& store);

// All the files of a run, the volume first, its record last.
std::vector<std::filesystem::path> files_of(const OutputFiles& files);

// The decoding that needs the most memory of those that need clearly less than `options`, or nothing.
std::optional<DecodeOptions> smaller_decode(const DecodeOptions& options, const Autoencoder& autoencoder,
                                            const Extents& latent);

}  // namespace voldiff

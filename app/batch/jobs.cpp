#include "app/batch/jobs.h"

#include "app/batch/confine.h"
#include "app/exit_codes.h"
#include "app/table.h"
#include "core/decode/decode_planner.h"
#include "core/networks/autoencoder_kl.h"
#include "core/pipeline/conditions.h"
#include "io/checkpoint/hash.h"
#include "io/checkpoint/torchscript_file.h"
#include "io/config/print.h"
#include "io/config/trained.h"
#include "io/file.h"
#include "io/run_identity.h"
#include "io/system/system.h"
#include "io/volume/volume.h"

#include <algorithm>
#include <map>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

constexpr double bytes_per_weight = 4;

void replace_all(std::string& text, const std::string& from, const std::string& to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

// A name that nobody chose tells the runs of a matrix apart; one that was chosen may do so with {image.modality}.
void set_name(RunConfig& run, const Cell& cell) {
    if (run.origins.count("output.name") == 0) {
        std::string part = name_part(cell);
        run.output.name = "{config}" + part + "_seed{seed}";
        return;
    }
    for (const auto& [key, text] : cell.labels) replace_all(run.output.name, "{" + key + "}", text);
}

// A given mask decides the size.
void take_mask_size(RunConfig& run, const std::map<std::string, fs::path>& inputs) {
    const auto mask = inputs.find("mask.file");
    if (mask == inputs.end() || run.origins.count("image.size") != 0) return;
    run.image.size = read_volume_info(mask->second).size;
}

double memory_for(const RunConfig& run) {
    const double limit = static_cast<double>(run.runtime.memory_limit);
    const double available = limit > 0 ? limit : static_cast<double>(available_memory());
    return available > 0 ? available : 1e18;  // the system does not say
}

// The options of the run, or smaller ones where these need more memory than there is.
DecodeOptions fitting_decode(const RunConfig& run, const Extents& latent) {
    DecodeOptions options{run.decode.method, run.decode.roi, run.decode.overlap, run.decode.mode};
    const AutoencoderKl autoencoder(run.network.autoencoder);  // without weights, for its shape
    const double available = memory_for(run);
    while (true) {
        try {
            return choose_decode(options, autoencoder, latent, available).options;
        } catch (const Error& error) {
            const auto smaller = smaller_decode(options, autoencoder, latent);
            if (error.code() != ErrorCode::memory || !smaller) throw;
            options = *smaller;
        }
    }
}

// Six tensors of the U-Net's first level live at once, and three of the image: it, its weights and the sum where it is
// decoded in windows. In float32.
double denoise_memory(const RunConfig& run, double latent_voxels) {
    return 6.0 * static_cast<double>(run.network.diffusion_unet.num_channels.front()) * latent_voxels * sizeof(float);
}

double image_memory(const RunConfig& run) {
    double voxels = 1;
    for (const std::int64_t extent : run.image.size) voxels *= static_cast<double>(extent);
    return 3 * voxels * sizeof(float);
}

// What no smaller decoding helps against.
void check_memory(const RunConfig& run, double latent_voxels) {
    const double needed = std::max(denoise_memory(run, latent_voxels), image_memory(run));
    const double available = memory_for(run);
    if (needed <= available) return;
    throw Error(ErrorCode::memory, "the denoising and the image need about " +
                                       byte_size(static_cast<std::uint64_t>(std::min(needed, 1e18))) +
                                       ", expected at most " + byte_size(static_cast<std::uint64_t>(available)) +
                                       "; reduce image.size, or raise runtime.memory_limit");
}

Work work_of(RunConfig run, const std::map<std::string, fs::path>& inputs) {
    Work work;
    work.steps = run.mask.only ? run.mask.steps : run.sampling.steps;
    double weights = 0;
    for (const auto& [key, path] : inputs)
        if (key.rfind("weights.", 0) == 0) weights += static_cast<double>(fs::file_size(path));
    work.parameters = weights / bytes_per_weight;
    take_mask_size(run, inputs);
    work.size.assign(run.image.size.begin(), run.image.size.end());
    if (!run.mask.only) {
        const auto shape = latent_shape(run.network.autoencoder, run.network.diffusion_unet, run.image.size);
        const Extents latent{shape[2], shape[3], shape[4]};
        work.latent_voxels =
            static_cast<double>(latent[0]) * static_cast<double>(latent[1]) * static_cast<double>(latent[2]);
        check_memory(run, work.latent_voxels);
        work.decode = fitting_decode(run, latent);
    }
    RunConfig kind = run;
    kind.mask.file.clear();
    kind.output = {};
    kind.sampling.seed = 0;
    kind.sampling.count = 1;
    work.kind = sha256_of_bytes(to_json(to_node(kind)).dump()).substr(0, 16);
    return work;
}

class Planner {
  public:
    Planner(const BatchSettings& settings, ModelStore& store) : settings_(settings), store_(store) {}

    void add(const Cell& cell) {
        try {
            add_checked(cell);
        } catch (const std::exception& exception) {
            if (fatal_) throw;
            add_failed(cell, as_error(exception));
        }
    }

    std::vector<Job> take() { return std::move(jobs_); }

  private:
    void add_checked(const Cell& cell) {
        std::vector<Override> overrides = cell.settings;
        overrides.insert(overrides.end(), settings_.overrides.begin(), settings_.overrides.end());
        RunConfig run = load_run_config({cell.config, overrides, settings_.models});
        set_name(run, cell);
        run.output.directory = folder_inside(settings_.root, run.output.directory).string();
        if (cell.seeds.empty() && run.sampling.count > static_cast<std::int64_t>(most_runs)) too_many();
        const std::vector<OutputFiles> outputs =
            plan_outputs(run, cell.seeds.empty() ? configured_seeds(run) : cell.seeds, true);
        const std::size_t first = jobs_.size();
        add_named(cell, outputs);
        try {
            check(std::move(run), first);
        } catch (const std::exception& exception) {
            for (std::size_t i = first; i < jobs_.size(); ++i) jobs_[i].problem = as_error(exception);
        }
    }

    void add_named(const Cell& cell, const std::vector<OutputFiles>& outputs) {
        if (outputs.size() > most_runs - std::min(most_runs, jobs_.size())) too_many();
        for (const OutputFiles& files : outputs) {
            for (const fs::path& path : files_of(files)) check_single(path, cell);
            jobs_.push_back({jobs_.size() + 1, nullptr, files, "", label(cell), nullptr, {}});
        }
    }

    void check(RunConfig run, std::size_t first) {
        check_files_inside(settings_.root, files_of(jobs_[first].files));
        if (!settings_.beyond_training && !run.mask.given() && !run.mask.only) check_trained(run);
        const auto inputs = run_inputs(run);
        refuse_programs(inputs);
        const auto work = std::make_shared<const Work>(work_of(run, inputs));
        const RunIdentity identity(run, store_.hashes());
        const auto shared = std::make_shared<const RunConfig>(std::move(run));
        for (std::size_t i = first; i < jobs_.size(); ++i) {
            jobs_[i].id = identity.of(jobs_[i].files.seed);
            jobs_[i].work = work;
            jobs_[i].run = shared;
        }
    }

    void refuse_programs(const std::map<std::string, fs::path>& inputs) const {
        for (const auto& [key, path] : inputs) {
            if (settings_.allow_torchscript || key.rfind("weights.", 0) != 0 || !is_torchscript_module(path)) continue;
            throw Error(ErrorCode::config, "'" + key + "' is '" + path.string() +
                                               "', a TorchScript module, which is a program; give "
                                               "--allow-torchscript where you trust it");
        }
    }

    void add_failed(const Cell& cell, const Error& error) {
        jobs_.push_back({jobs_.size() + 1, nullptr, {}, "", label(cell), nullptr, error});
    }

    void check_single(const fs::path& path, const Cell& cell) {
        const auto [other, added] = taken_.emplace(path, cell.place);
        if (added) return;
        fatal_ = true;
        throw Error(ErrorCode::config,
                    cell.place + ": this run would write '" + path.string() + "', as that of " + other->second +
                        " does; give them other seeds, another output.directory or another output.name");
    }

    [[noreturn]] void too_many() {
        fatal_ = true;
        throw Error(ErrorCode::config, "more than " + std::to_string(most_runs) + " runs; expected fewer in one batch");
    }

    static std::string label(const Cell& cell) {
        std::string text = cell.config.stem().string();
        for (const auto& [key, value] : cell.labels) text += " " + value;
        return text;
    }

    const BatchSettings& settings_;
    ModelStore& store_;
    std::vector<Job> jobs_;
    std::map<fs::path, std::string> taken_;
    bool fatal_ = false;
};

}  // namespace

std::vector<Job> plan_jobs(const std::vector<Cell>& cells, const BatchSettings& settings, ModelStore& store) {
    Planner planner(settings, store);
    for (const Cell& cell : cells) planner.add(cell);
    return planner.take();
}

std::vector<fs::path> files_of(const OutputFiles& files) {
    std::vector<fs::path> all{files.volume};
    if (!files.label.empty()) all.push_back(files.label);
    if (!files.preview.empty()) all.push_back(files.preview);
    all.push_back(files.sidecar);
    return all;
}

}  // namespace voldiff

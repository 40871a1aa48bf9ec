#include "app/machine.h"

#include "core/ops/autocast.h"
#include "core/ops/conv_policy.h"
#include "core/ops/kernels/mapped_memory.h"
#include "io/checkpoint/hash.h"
#include "io/system/system.h"
#include "io/volume/volume.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <optional>

namespace voldiff {

void set_machine(const RuntimeSection& runtime) {
    const int threads = runtime.threads > 0 ? static_cast<int>(runtime.threads) : core_count();
    at::set_num_threads(threads);
    use_itk_threads(threads);
    std::optional<at::ScalarType> autocast;
    if (runtime.autocast != "none") autocast = compute_type(runtime, runtime.autocast);
    ops::use_autocast(at::Device(resolve_device(runtime.device)), autocast);
    ops::use_own_kernels(!runtime.exact_conv && !autocast);
}

double memory_allowed(const RuntimeSection& runtime) {
    const auto waiting = static_cast<double>(ops::waiting_memory());  // an earlier run left it for this one
    if (runtime.memory_limit > 0) {
        return std::max(static_cast<double>(runtime.memory_limit) - static_cast<double>(resident_memory()) + waiting,
                        0.0);
    }
    const auto available = static_cast<double>(available_memory());
    return available > 0 ? available + waiting : 1e18;  // the system does not say
}

void tell(Log& log, const std::vector<LoadNote>& notes) {
    for (const LoadNote& note : notes) note.warning ? log.warn(note.text) : log.info("note: " + note.text);
}

EncodeOptions encode_options(const RunConfig& run, const Extents& latent) {
    EncodeOptions options;
    options.method = run.encode.method;
    options.roi = run.encode.roi;
    options.overlap = run.encode.overlap;
    return choose_encode_method(options, run.network.autoencoder, latent, memory_allowed(run.runtime));
}

RunRecord begin_record(const RunConfig& run, std::int64_t seed) {
    RunRecord record;
    record.version = VOLDIFF_VERSION;
    record.device = resolve_device(run.runtime.device);
    record.threads = at::get_num_threads();
    record.seed = seed;
    return record;
}

std::map<std::string, std::string> hash_weights(const Model& model) {
    std::map<std::string, std::string> hashes;
    for (const WeightFile& file : model.files) hashes[file.key] = sha256_of_file(file.path);
    return hashes;
}

}  // namespace voldiff

// What a run takes of the machine, and what it says about its start.
#pragma once

#include "app/log.h"
#include "core/encode/encode.h"
#include "io/config/run_config.h"
#include "io/model/model.h"
#include "io/sidecar.h"

#include <vector>

namespace voldiff {

// How this thread computes from now on: on `runtime.threads`, or all cores, by the kernels of `runtime.exact_conv`,
// with `runtime.autocast`. Throws Error(usage) for what this LibTorch or the machine does not have.
void set_machine(const RuntimeSection& runtime);

// Bytes that may still be taken: what `runtime.memory_limit` leaves beside this process, or what the machine has free.
double memory_allowed(const RuntimeSection& runtime);

void tell(Log& log, const std::vector<LoadNote>& notes);

// The encoder's method for a latent of these extents, `auto` resolved; the latent's mean. Throws Error(memory).
EncodeOptions encode_options(const RunConfig& run, const Extents& latent);

// The record of what was made with a seed, before its stages.
RunRecord begin_record(const RunConfig& run, std::int64_t seed);

// SHA-256 of each weight file, by its key of `weights`.
std::map<std::string, std::string> hash_weights(const Model& model);

}  // namespace voldiff

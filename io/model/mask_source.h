// Where the masks of a run come from: a file, a library, or the networks of masks.
// Source: NV-Generate-CTMR scripts/sample.py (LDMSampler), scripts/inference.py.
#pragma once

#include "core/pipeline/from_mask.h"
#include "io/config/run_config.h"
#include "io/model/model.h"
#include "io/volume/volume.h"

#include <memory>
#include <string>
#include <vector>

namespace voldiff {

// The seed of the noise of a later attempt: far from the seeds that a user counts through.
std::int64_t seed_of_attempt(std::int64_t seed, std::int64_t attempt);

struct ProvidedMask {
    Volume mask;  // in RAS, MAISI's labels, of the run's size and spacing
    LabelMask labels;
    std::string from;  // for the log and the record
};

class MaskSource {
  public:
    virtual ~MaskSource() = default;

    // The mask of a volume. A seed and an attempt (0, 1, ...) always give the same one. Stages of `progress` are those
    // of `generate_mask_classes`. Throws Error(config) where the mask lacks what was asked for, Error(io) for a file
    // that cannot be read, and what `generate_mask_classes` throws.
    virtual ProvidedMask provide(const Model& model, std::int64_t seed, std::int64_t attempt,
                                 const StageProgress& progress) const = 0;

    // Of a mask that is the same for all seeds: it, and what a user should know about its reading. It decides the size
    // and spacing of the run.
    virtual const Volume* fixed() const { return nullptr; }
    virtual std::vector<LoadNote> notes() const { return {}; }
};

// Null for a run without a mask. Reads the file, or the library's index and the masks that come into question, so that
// what is missing there is known before a model is loaded. Throws as `load_mask`; Error(config) where the library has
// no mask of that kind.
std::unique_ptr<MaskSource> make_mask_source(const RunConfig& run);

// The values that the label file of a run keeps, in order; none where it keeps all.
std::vector<std::int64_t> kept_labels(const RunConfig& run);

}  // namespace voldiff

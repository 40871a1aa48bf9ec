// The volumes of one run config: check everything cheap, load the model once, then make, write and record each volume.
#pragma once

#include "app/commands/commands.h"
#include "app/model_store.h"
#include "app/output_name.h"
#include "core/encode/encode.h"
#include "io/config/run_config.h"
#include "io/model/mask_source.h"
#include "io/model/model.h"
#include "io/model/start_volume.h"
#include "io/run_identity.h"
#include "io/sidecar.h"

#include <memory>
#include <optional>
#include <vector>

namespace voldiff {

class StageWatch;

// What was made for the files of one volume.
struct MadeVolume {
    OutputFiles files;
    Volume volume;
    std::optional<Volume> label;
    RunRecord record;
};

class Generation {
  public:
    // `outputs`: of `plan_outputs`. Checks sizes and weights, chooses how to decode, loads the model.
    // `beyond_training`: also what the model was not trained for. `store`: models that other runs share. Throws as
    // these do.
    Generation(RunConfig run, std::vector<OutputFiles> outputs, Context& context, bool beyond_training = false,
               std::shared_ptr<ModelStore> store = std::make_shared<ModelStore>());

    // What would be made, for --dry-run.
    nlohmann::ordered_json plan() const;
    // Makes the volumes in order; each is on the disk before the next is begun. Returns what was made, one entry each.
    nlohmann::ordered_json make_all();

    // The two halves of it, for batches. `write` may run in a thread of its own beside the next `compute`.
    MadeVolume compute(const OutputFiles& files);
    nlohmann::ordered_json write(const MadeVolume& made) const;

    // The decoding that was chosen.
    const DecodeOptions& decode() const { return request_.decode; }
    const Model& model() const { return *model_; }

  private:
    void read_start_volume();
    void read_mask();
    void prepare_image();
    Extents encoded_size() const;
    void prepare_start(const Extents& latent);
    void encode_start_volume();
    void check_conditions();
    void choose_decoding(const Extents& latent);
    void produce(MadeVolume& made);
    void produce_from_mask(MadeVolume& made, StageWatch& watch);
    ImageResult image_for(const ProvidedMask* mask, std::int64_t seed, StageWatch& watch);
    Volume to_volume(const ImageResult& result, const ProvidedMask* mask) const;
    bool plausible(const ImageResult& result, const ProvidedMask& mask, RunRecord& record);
    void identify(RunRecord& record);
    void write_preview_of(const MadeVolume& made) const;
    bool is_mr() const;

    RunConfig run_;
    Context& context_;
    std::vector<OutputFiles> outputs_;
    std::unique_ptr<MaskSource> masks_;  // where the run starts from masks
    std::shared_ptr<ModelStore> store_;
    std::shared_ptr<const Model> model_;
    ImageRequest request_;
    std::int64_t network_calls_ = 0;  // of one volume, guidance aside
    StageRecord loading_;
    std::optional<StartVolume> start_;  // where the run starts from one
    EncodeOptions encode_;              // of that volume
    std::vector<StageRecord> encoding_;
    std::optional<RunIdentity> identity_;
};

}  // namespace voldiff

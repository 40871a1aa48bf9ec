// One `generate`: check everything cheap, load the model once, then make, write and record each volume.
#pragma once

#include "app/commands/commands.h"
#include "app/output_name.h"
#include "core/encode/encode.h"
#include "io/config/run_config.h"
#include "io/model/mask_source.h"
#include "io/model/model.h"
#include "io/model/start_volume.h"
#include "io/sidecar.h"

#include <memory>
#include <optional>
#include <vector>

namespace voldiff {

class StageWatch;

class Generation {
  public:
    // `outputs`: of `plan_outputs`. Checks sizes and weights, chooses how to decode, loads the model.
    // `beyond_training`: also what the model was not trained for. Throws as these do.
    Generation(RunConfig run, std::vector<OutputFiles> outputs, Context& context, bool beyond_training = false);

    // What would be made, for --dry-run.
    nlohmann::ordered_json plan() const;
    // Makes the volumes in order; each is on the disk before the next is begun. Returns what was made, one entry each.
    nlohmann::ordered_json make_all();

  private:
    // What a volume's files hold.
    struct Made {
        Volume volume;
        std::optional<Volume> label;
    };

    void read_start_volume();
    void read_mask();
    void prepare_image();
    Extents encoded_size() const;
    void prepare_start(const Extents& latent);
    void encode_start_volume();
    void check_conditions();
    nlohmann::ordered_json make(const OutputFiles& files);
    Made produce(const OutputFiles& files, RunRecord& record);
    Made produce_from_mask(const OutputFiles& files, RunRecord& record, StageWatch& watch);
    ImageResult image_for(const ProvidedMask* mask, std::int64_t seed, StageWatch& watch);
    Volume to_volume(const ImageResult& result, const ProvidedMask* mask) const;
    bool plausible(const ImageResult& result, const ProvidedMask& mask, RunRecord& record);
    void write(const OutputFiles& files, const Made& made, const RunRecord& record) const;
    bool is_mr() const;

    RunConfig run_;
    Context& context_;
    std::vector<OutputFiles> outputs_;
    std::unique_ptr<MaskSource> masks_;  // where the run starts from masks
    Model model_;
    ImageRequest request_;
    std::int64_t network_calls_ = 0;  // of one volume, guidance aside
    StageRecord loading_;
    std::optional<StartVolume> start_;  // where the run starts from one
    EncodeOptions encode_;              // of that volume
    std::vector<StageRecord> encoding_;
    std::map<std::string, std::string> weight_hashes_;
};

}  // namespace voldiff

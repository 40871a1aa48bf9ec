// One `generate`: check everything cheap, load the model once, then make, write and record each volume.
#pragma once

#include "app/commands/commands.h"
#include "app/output_name.h"
#include "io/config/run_config.h"
#include "io/model/mask_input.h"
#include "io/model/model.h"
#include "io/sidecar.h"

#include <optional>
#include <vector>

namespace voldiff {

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
    void set_threads() const;
    void read_mask();
    void check_conditions();
    void choose_decoding(const Extents& latent);
    Volume to_volume(const ImageResult& result) const;
    nlohmann::ordered_json make(const OutputFiles& files);
    ImageResult generate(const OutputFiles& files, RunRecord& record);
    void write(const OutputFiles& files, const Volume& volume, const RunRecord& record) const;
    RunRecord begin_record(const OutputFiles& files) const;

    RunConfig run_;
    Context& context_;
    std::vector<OutputFiles> outputs_;
    Model model_;
    ImageRequest request_;
    std::optional<MaskInput> mask_;   // where the run starts from one
    std::int64_t network_calls_ = 0;  // of one volume, guidance aside
    StageRecord loading_;
    std::map<std::string, std::string> weight_hashes_;
};

}  // namespace voldiff

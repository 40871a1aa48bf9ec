#include "io/model/mask_source.h"

#include "core/error.h"
#include "io/anatomy/tables.h"
#include "io/config/anatomy_sizes.h"
#include "io/model/generated_mask.h"
#include "io/model/library_mask.h"
#include "io/model/mask_input.h"

#include <ATen/core/Tensor.h>

namespace voldiff {

namespace {

class FileMask : public MaskSource {
  public:
    explicit FileMask(const RunConfig& run) : input_(load_mask(run)) {}

    ProvidedMask provide(const Model&, std::int64_t, std::int64_t, const StageProgress&) const override {
        return {input_.mask, input_.mask.voxels, input_.path.string()};
    }
    const Volume* fixed() const override { return &input_.mask; }
    std::vector<LoadNote> notes() const override { return input_.notes; }

  private:
    MaskInput input_;
};

}  // namespace

std::int64_t seed_of_attempt(std::int64_t seed, std::int64_t attempt) { return seed + attempt * 1000003; }

std::unique_ptr<MaskSource> make_mask_source(const RunConfig& run) {
    if (run.mask.from_file()) return std::make_unique<FileMask>(run);
    if (run.mask.from_library()) return make_library_mask(run);
    if (run.mask.from_sizes()) return make_generated_mask(run);
    return nullptr;
}

std::vector<std::int64_t> kept_labels(const RunConfig& run) {
    const LabelTable table = label_table();
    std::vector<std::int64_t> labels;
    for (const std::string& name : run.mask.anatomy_list) labels.push_back(table.value(name));
    for (const AnatomySize& size : anatomy_sizes(run.mask)) labels.push_back(table.value(size.anatomy));
    return labels;
}

}  // namespace voldiff

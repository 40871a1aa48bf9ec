// Constructor arguments of the ControlNet, under MONAI's names.
#pragma once

#include "core/networks/unet_trunk_config.h"

namespace voldiff {

// Sources: monai/networks/nets/controlnet.py (ControlNet),
//          monai/apps/generation/maisi/networks/controlnet_maisi.py (ControlNetMaisi).
struct ControlNetConfig : UnetTrunkConfig {
    std::int64_t conditioning_embedding_in_channels = 1;
    std::vector<std::int64_t> conditioning_embedding_num_channels{16, 32, 96, 256};
    bool use_checkpointing = true;  // training only, ignored

    std::string target;  // set by `of`

    // The defaults of a class: `target` is MONAI's `_target_` (the last part is enough).
    // Throws Error(config), listing the known classes.
    static ControlNetConfig of(const std::string& target);
    void visit_options(OptionVisitor& visitor) override;
    // Throws Error(config) for values that contradict each other.
    void check() const;

    // Voxels of the conditioning along each axis for one of the latent.
    std::int64_t conditioning_downsampling() const {
        return std::int64_t{1} << (conditioning_embedding_num_channels.size() - 1);
    }
};

}  // namespace voldiff

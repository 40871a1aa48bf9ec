// Constructor arguments of the diffusion U-Net, under MONAI's names.
#pragma once

#include "core/networks/unet_trunk_config.h"

namespace voldiff {

// Sources: monai/networks/nets/diffusion_model_unet.py (DiffusionModelUNet),
//          monai/apps/generation/maisi/networks/diffusion_model_unet_maisi.py (DiffusionModelUNetMaisi).
struct DiffusionUnetConfig : UnetTrunkConfig {
    std::int64_t out_channels = 4;
    double dropout_cattn = 0;
    bool include_top_region_index_input = false;
    bool include_bottom_region_index_input = false;
    bool include_spacing_input = false;

    // What tells DiffusionModelUNetMaisi and DiffusionModelUNet apart; set by `of`, not by an option.
    std::string target;
    bool residuals_in_place = true;  // the middle block sees the last additional residual (MAISI)

    // The defaults of a class: `target` is MONAI's `_target_` (the last part is enough).
    // Throws Error(config), listing the known classes.
    static DiffusionUnetConfig of(const std::string& target);
    void visit_options(OptionVisitor& visitor) override;
};

}  // namespace voldiff

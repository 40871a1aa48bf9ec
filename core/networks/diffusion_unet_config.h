// Constructor arguments of the diffusion U-Net, under MONAI's names.
#pragma once

#include "core/option.h"

#include <optional>
#include <string>
#include <vector>

namespace voldiff {

// Sources: monai/networks/nets/diffusion_model_unet.py (DiffusionModelUNet),
//          monai/apps/generation/maisi/networks/diffusion_model_unet_maisi.py (DiffusionModelUNetMaisi).
struct DiffusionUnetConfig : OptionGroup {
    std::int64_t spatial_dims = 3;
    std::int64_t in_channels = 4;
    std::int64_t out_channels = 4;
    std::vector<std::int64_t> num_channels{32, 64, 64, 64};
    std::vector<bool> attention_levels{false, false, true, true};
    PerLevel num_res_blocks{2};
    PerLevel num_head_channels{8};
    std::int64_t norm_num_groups = 32;
    double norm_eps = 1e-6;
    bool resblock_updown = false;
    std::optional<std::int64_t> num_class_embeds;
    bool include_fc = false;
    bool use_combined_linear = false;
    bool use_flash_attention = false;
    bool with_conditioning = false;
    std::int64_t transformer_num_layers = 1;
    std::optional<std::int64_t> cross_attention_dim;
    bool upcast_attention = false;
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
    // Throws Error(config) for values that contradict each other.
    void check() const;

    // The latent's extents must be multiples of this.
    std::int64_t extent_multiple() const { return std::int64_t{1} << (num_channels.size() - 1); }
};

}  // namespace voldiff

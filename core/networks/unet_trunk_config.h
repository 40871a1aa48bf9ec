// The constructor arguments that the diffusion U-Net and the ControlNet share, under MONAI's names.
#pragma once

#include "core/blocks/attention_options.h"
#include "core/option.h"

#include <optional>
#include <string>
#include <vector>

namespace voldiff {

struct UnetTrunkConfig : OptionGroup, AttentionOptions {
    std::int64_t spatial_dims = 3;
    std::int64_t in_channels = 4;
    std::vector<std::int64_t> num_channels{32, 64, 64, 64};
    std::vector<bool> attention_levels{false, false, true, true};
    PerLevel num_res_blocks{2};
    PerLevel num_head_channels{8};
    std::int64_t norm_num_groups = 32;
    double norm_eps = 1e-6;
    bool resblock_updown = false;
    std::optional<std::int64_t> num_class_embeds;
    AttentionOverrides attention;  // for single attention blocks
    bool with_conditioning = false;
    std::int64_t transformer_num_layers = 1;
    std::optional<std::int64_t> cross_attention_dim;
    bool upcast_attention = false;

    void visit_options(OptionVisitor& visitor) override;
    // Throws Error(config) for values that contradict each other.
    void check() const;

    // Of the time embedding.
    std::int64_t embedding_width() const { return 4 * num_channels.front(); }
    // The latent's extents must be multiples of this.
    std::int64_t extent_multiple() const { return std::int64_t{1} << (num_channels.size() - 1); }
};

}  // namespace voldiff

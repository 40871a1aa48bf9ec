#include "core/networks/unet_trunk_config.h"

#include "core/error.h"

namespace voldiff {

void UnetTrunkConfig::visit_options(OptionVisitor& v) {
    v.visit(Option("spatial_dims", "number of spatial dimensions").in(3, 3), spatial_dims);
    v.visit(Option("in_channels", "channels of the noisy latent").in(1, 4096).needed(), in_channels);
    v.visit(Option("num_channels", "channels of each level").in(1, 65536).also_called("channels"), num_channels);
    v.visit(Option("attention_levels", "levels with attention"), attention_levels);
    v.visit(Option("num_res_blocks", "residual blocks of each level").in(1, 64), num_res_blocks);
    v.visit(Option("num_head_channels", "channels of one attention head, of each level").in(0, 65536),
            num_head_channels);
    v.visit(Option("norm_num_groups", "groups of the group norms").in(1, 65536), norm_num_groups);
    v.visit(Option("norm_eps", "epsilon of the group norms").in(0, 1), norm_eps);
    v.visit(Option("resblock_updown", "residual blocks for down- and upsampling"), resblock_updown);
    v.visit(Option("num_class_embeds", "number of class labels").in(1, 1e6), num_class_embeds);
    visit_attention_options(v);
    v.visit(Option("attention", "these four for the attention blocks that a pattern names"), attention);
    v.visit(Option("with_conditioning", "cross-attention to a context"), with_conditioning);
    v.visit(Option("transformer_num_layers", "transformer blocks of an attention block").in(1, 64),
            transformer_num_layers);
    v.visit(Option("cross_attention_dim", "width of the context").in(1, 65536), cross_attention_dim);
    v.visit(Option("upcast_attention", "attention scores in float32"), upcast_attention);
}

void UnetTrunkConfig::check() const {
    const std::size_t levels = num_channels.size();
    if (levels == 0) throw Error(ErrorCode::config, "'num_channels' is empty, expected one entry for each level");
    if (attention_levels.size() != levels) {
        throw Error(ErrorCode::config, "'attention_levels' has " + std::to_string(attention_levels.size()) +
                                           " entries, expected " + std::to_string(levels) +
                                           ", as many as 'num_channels'");
    }
    for (const std::int64_t channels : num_channels) {
        if (channels % norm_num_groups == 0) continue;
        throw Error(ErrorCode::config, "'num_channels' has " + std::to_string(channels) +
                                           ", expected multiples of 'norm_num_groups' (" +
                                           std::to_string(norm_num_groups) + ")");
    }
    num_res_blocks.expand(levels, "num_res_blocks");
    num_head_channels.expand(levels, "num_head_channels");
    if (with_conditioning && !cross_attention_dim) {
        throw Error(ErrorCode::config, "'with_conditioning' is true, expected 'cross_attention_dim' beside it");
    }
    if (!with_conditioning && cross_attention_dim) {
        throw Error(ErrorCode::config, "'cross_attention_dim' is given, expected 'with_conditioning: true' beside it");
    }
}

}  // namespace voldiff

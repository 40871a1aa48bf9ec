#include "core/networks/diffusion_unet_config.h"

#include "core/networks/target.h"

namespace voldiff {

namespace {

DiffusionUnetConfig maisi_defaults() { return {}; }

DiffusionUnetConfig core_defaults() {
    DiffusionUnetConfig config;
    config.include_fc = true;
    config.residuals_in_place = false;
    return config;
}

}  // namespace

DiffusionUnetConfig DiffusionUnetConfig::of(const std::string& target) {
    static const std::vector<std::pair<std::string, DiffusionUnetConfig>> classes = {
        {"DiffusionModelUNetMaisi", maisi_defaults()},
        {"DiffusionModelUNet", core_defaults()},
    };
    DiffusionUnetConfig config = find_target(classes, target);
    config.target = target;
    return config;
}

void DiffusionUnetConfig::visit_options(OptionVisitor& v) {
    v.visit(Option("spatial_dims", "number of spatial dimensions").in(3, 3), spatial_dims);
    v.visit(Option("in_channels", "channels of the noisy latent").in(1, 4096).needed(), in_channels);
    v.visit(Option("out_channels", "channels of the prediction").in(1, 4096).needed(), out_channels);
    v.visit(Option("num_channels", "channels of each level").in(1, 65536).also_called("channels"), num_channels);
    v.visit(Option("attention_levels", "levels with attention"), attention_levels);
    v.visit(Option("num_res_blocks", "residual blocks of each level").in(1, 64), num_res_blocks);
    v.visit(Option("num_head_channels", "channels of one attention head, of each level").in(0, 65536),
            num_head_channels);
    v.visit(Option("norm_num_groups", "groups of the group norms").in(1, 65536), norm_num_groups);
    v.visit(Option("norm_eps", "epsilon of the group norms").in(0, 1), norm_eps);
    v.visit(Option("resblock_updown", "residual blocks for down- and upsampling"), resblock_updown);
    v.visit(Option("num_class_embeds", "number of class labels").in(1, 1e6), num_class_embeds);
    v.visit(Option("include_fc", "output projection in the attention blocks").also_called("use_proj_attn"), include_fc);
    v.visit(Option("use_combined_linear", "one projection for query, key and value"), use_combined_linear);
    v.visit(Option("use_flash_attention", "memory-efficient attention"), use_flash_attention);
    v.visit(Option("with_conditioning", "cross-attention to a context"), with_conditioning);
    v.visit(Option("transformer_num_layers", "transformer blocks of an attention block").in(1, 64),
            transformer_num_layers);
    v.visit(Option("cross_attention_dim", "width of the context").in(1, 65536), cross_attention_dim);
    v.visit(Option("upcast_attention", "attention scores in float32"), upcast_attention);
    v.visit(Option("dropout_cattn", "training only, ignored").in(0, 1), dropout_cattn);
    v.visit(Option("include_top_region_index_input", "takes the top body region"), include_top_region_index_input);
    v.visit(Option("include_bottom_region_index_input", "takes the bottom body region"),
            include_bottom_region_index_input);
    v.visit(Option("include_spacing_input", "takes the voxel spacing"), include_spacing_input);
}

void DiffusionUnetConfig::check() const {
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

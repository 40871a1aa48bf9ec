#include "core/networks/autoencoder_kl_config.h"

#include "core/networks/target.h"

namespace voldiff {

namespace {

AutoencoderKlConfig maisi_defaults() { return {}; }

AutoencoderKlConfig core_defaults() {
    AutoencoderKlConfig config;
    config.maisi = false;
    config.num_channels = {32, 64, 64, 64};
    config.attention_levels = {false, false, true, true};
    config.with_encoder_nonlocal_attn = true;
    config.with_decoder_nonlocal_attn = true;
    config.include_fc = true;
    return config;
}

}  // namespace

AutoencoderKlConfig AutoencoderKlConfig::of(const std::string& target) {
    static const std::vector<std::pair<std::string, AutoencoderKlConfig>> classes = {
        {"AutoencoderKlMaisi", maisi_defaults()},
        {"AutoencoderKL", core_defaults()},
    };
    AutoencoderKlConfig config = find_target(classes, target);
    config.target = target;
    return config;
}

void AutoencoderKlConfig::visit_options(OptionVisitor& v) {
    v.visit(Option("spatial_dims", "number of spatial dimensions").in(3, 3), spatial_dims);
    v.visit(Option("in_channels", "channels of the image").in(1, 4096), in_channels);
    v.visit(Option("out_channels", "channels of the decoded image").in(1, 4096), out_channels);
    v.visit(Option("num_channels", "channels of each level").in(1, 65536).also_called("channels"), num_channels);
    v.visit(Option("num_res_blocks", "residual blocks of each level").in(1, 64), num_res_blocks);
    v.visit(Option("attention_levels", "levels with self-attention"), attention_levels);
    v.visit(Option("latent_channels", "channels of the latent").in(1, 4096), latent_channels);
    v.visit(Option("norm_num_groups", "groups of the group norms").in(1, 65536), norm_num_groups);
    v.visit(Option("norm_eps", "epsilon of the group norms").in(0, 1), norm_eps);
    v.visit(Option("with_encoder_nonlocal_attn", "attention at the bottom of the encoder"), with_encoder_nonlocal_attn);
    v.visit(Option("with_decoder_nonlocal_attn", "attention at the top of the decoder"), with_decoder_nonlocal_attn);
    visit_attention_options(v);
    v.visit(Option("attention", "these four for the attention blocks that a pattern names"), attention);
    v.visit(Option("use_convtranspose", "transposed convolutions in the decoder"), use_convtranspose);
    v.visit(Option("num_splits", "hint: parts of a convolution").in(1, 4096), num_splits);
    v.visit(Option("dim_split", "hint: axis of the parts").in(0, 2), dim_split);
    v.visit(Option("norm_float16", "hint: group norm in float16 on a GPU"), norm_float16);
    v.visit(Option("use_checkpointing", "training only, ignored").also_called("use_checkpoint"), use_checkpointing);
    v.visit(Option("print_info", "ignored"), print_info);
    v.visit(Option("save_mem", "ignored"), save_mem);
}

void AutoencoderKlConfig::check() const {
    const std::size_t levels = num_channels.size();
    if (levels == 0) throw Error(ErrorCode::config, "'num_channels' is empty, expected one entry for each level");
    if (attention_levels.size() != levels) {
        throw Error(ErrorCode::config, "'attention_levels' has " + std::to_string(attention_levels.size()) +
                                           " entries, expected " + std::to_string(levels) +
                                           ", as many as 'num_channels'");
    }
    num_res_blocks.expand(levels, "num_res_blocks");
    for (const std::int64_t channels : num_channels) {
        if (channels % norm_num_groups == 0) continue;
        throw Error(ErrorCode::config, "'num_channels' has " + std::to_string(channels) +
                                           ", expected multiples of 'norm_num_groups' (" +
                                           std::to_string(norm_num_groups) + ")");
    }
}

}  // namespace voldiff

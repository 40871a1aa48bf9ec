#include "core/networks/diffusion_unet.h"

#include "core/blocks/script.h"
#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include <algorithm>

namespace voldiff {

namespace {

[[noreturn]] void refuse_unet(const std::string& message) { throw Error(ErrorCode::config, "U-Net: " + message); }

// The time embedding and, behind it, those of regions and spacing.
std::int64_t temb_channels(const DiffusionUnetConfig& config) {
    const std::int64_t parts = 1 + static_cast<std::int64_t>(config.include_top_region_index_input) +
                               static_cast<std::int64_t>(config.include_bottom_region_index_input) +
                               static_cast<std::int64_t>(config.include_spacing_input);
    return config.embedding_width() * parts;
}

const DiffusionUnetConfig& checked(const DiffusionUnetConfig& config) {
    config.check();
    return config;
}

}  // namespace

DiffusionUnet::DiffusionUnet(const DiffusionUnetConfig& config)
    : UnetTrunk(checked(config), temb_channels(config)), config_(config) {
    const std::int64_t first = config.num_channels.front();
    build_embeddings();
    build_up_blocks();
    out_norm_ = add<GroupNorm>("out.0", config.norm_num_groups, first, config.norm_eps);
    out_conv_ = add<Convolution>("out.2", ConvolutionOptions{first, config.out_channels});
    plan_.check_all_used();
}

void DiffusionUnet::build_embeddings() {
    const std::int64_t width = config_.embedding_width();
    if (config_.include_top_region_index_input) {
        top_region_index_layer_ = add<EmbeddingMlp>("top_region_index_layer", 4, width);
    }
    if (config_.include_bottom_region_index_input) {
        bottom_region_index_layer_ = add<EmbeddingMlp>("bottom_region_index_layer", 4, width);
    }
    if (config_.include_spacing_input) spacing_layer_ = add<EmbeddingMlp>("spacing_layer", 3, width);
}

void DiffusionUnet::build_up_blocks() {
    const std::size_t levels = config_.num_channels.size();
    std::int64_t hidden = config_.num_channels.back();
    for (std::size_t index = 0; index < levels; ++index) {
        const std::size_t level = levels - 1 - index;
        UnetStageOptions options = stage(level, "up_blocks", index);
        options.prev_output_channel = hidden;
        options.num_res_blocks += 1;
        options.resample = level > 0;
        up_blocks_.push_back(std::make_shared<UnetUpBlock>(options));
        hidden = options.out_channels;
    }
    register_list("up_blocks", up_blocks_);
}

at::Tensor DiffusionUnet::embed(const at::Tensor& x, const at::Tensor& timesteps, const UnetConditions& conditions) {
    std::vector<at::Tensor> parts{embed_time(x, timesteps, conditions.class_labels)};  // each [N, width]
    const auto add_part = [&parts](EmbeddingMlp& layer, const at::Tensor& condition, const char* name,
                                   std::int64_t width) {
        parts.push_back(layer.forward(given_condition(condition, name, width)));
    };
    if (top_region_index_layer_) {
        add_part(*top_region_index_layer_, conditions.top_region_index_tensor, "top_region_index_tensor", 4);
    }
    if (bottom_region_index_layer_) {
        add_part(*bottom_region_index_layer_, conditions.bottom_region_index_tensor, "bottom_region_index_tensor", 4);
    }
    if (spacing_layer_) add_part(*spacing_layer_, conditions.spacing_tensor, "spacing_tensor", 3);
    return parts.size() == 1 ? parts.front() : at::cat(parts, 1);
}

at::Tensor DiffusionUnet::add_down_residuals(at::Tensor h, std::vector<at::Tensor>& skips,
                                             const UnetResiduals& residuals) const {
    if (residuals.down.empty()) return h;
    if (residuals.down.size() != skips.size()) {
        refuse_unet(std::to_string(residuals.down.size()) + " additional residuals are given, expected " +
                    std::to_string(skips.size()));
    }
    for (std::size_t i = 0; i < skips.size(); ++i) skips[i] = skips[i] + residuals.down[i];
    // MAISI adds in place, and its last skip is the very tensor that enters the middle block.
    return config_.residuals_in_place ? skips.back() : h;
}

at::Tensor DiffusionUnet::forward(const at::Tensor& x, const at::Tensor& timesteps, const UnetConditions& conditions,
                                  const UnetResiduals& residuals) {
    check_call(x, conditions.context);
    const at::Tensor emb = embed(x, timesteps, conditions);
    at::Tensor h = conv_in_->forward(x);
    std::vector<at::Tensor> skips{h};
    for (const auto& block : down_blocks_) h = block->forward(std::move(h), emb, conditions.context, skips);
    h = add_down_residuals(std::move(h), skips, residuals);
    h = middle_block_->forward(std::move(h), emb, conditions.context);
    if (residuals.mid.defined()) h = h + residuals.mid;
    for (const auto& block : up_blocks_) h = block->forward(std::move(h), emb, conditions.context, skips);
    return out_conv_->forward(out_norm_->forward_silu(h));
}

namespace {

struct ScriptCondition {
    bool given;
    const char* name;
    const char* layer;  // key of its embedding, or empty
};

}  // namespace

// The arguments are those that the network takes, under MONAI's names.
std::string DiffusionUnet::script() const {
    const std::vector<ScriptCondition> conditions = {
        {config_.with_conditioning, "context", ""},
        {config_.num_class_embeds.has_value(), "class_labels", ""},
        {config_.include_top_region_index_input, "top_region_index_tensor", "top_region_index_layer"},
        {config_.include_bottom_region_index_input, "bottom_region_index_tensor", "bottom_region_index_layer"},
        {config_.include_spacing_input, "spacing_tensor", "spacing_layer"},
    };
    std::string arguments;
    std::string parts;
    for (const ScriptCondition& condition : conditions) {
        if (!condition.given) continue;
        arguments += std::string(", ") + condition.name + ": Tensor";
        if (*condition.layer == '\0') continue;
        parts += std::string("    emb = torch.cat([emb, ") + script::member(condition.layer) + ".forward(" +
                 condition.name + ")], 1)\n";
    }
    std::string up;
    for (std::size_t i = 0; i < up_blocks_.size(); ++i) {
        up += "    h = " + script::member("up_blocks." + std::to_string(i)) + ".forward(h, emb, context_, skips)\n";
    }
    return script::fill(R"(
def forward(self, x: Tensor, timesteps: Tensor$arguments,
            down_block_additional_residuals: Optional[List[Tensor]]=None,
            mid_block_additional_residual: Optional[Tensor]=None) -> Tensor:
$embed_time
$parts
    h = $conv_in.forward(x)
    skips = [h]
$down
    if down_block_additional_residuals is not None:
        for i in range(len(skips)):
            skips[i] = skips[i] + down_block_additional_residuals[i]
$in_place
    h = $middle.forward(h, emb, context_)
    if mid_block_additional_residual is not None:
        h = h + mid_block_additional_residual
$up
    return $out_conv.forward($out_norm.forward_silu(h))
)",
                        {{"arguments", arguments},
                         {"embed_time", script_embed_time()},
                         {"parts", parts},
                         {"conv_in", script::member("conv_in")},
                         {"down", script_down()},
                         {"in_place", config_.residuals_in_place ? "        h = skips[-1]" : ""},
                         {"middle", script::member("middle_block")},
                         {"up", up},
                         {"out_conv", script::member("out.2")},
                         {"out_norm", script::member("out.0")}});
}

}  // namespace voldiff

#include "core/networks/diffusion_unet.h"

#include "core/blocks/spatial_transformer.h"
#include "core/blocks/timestep_embedding.h"
#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <sstream>

namespace voldiff {

namespace {

[[noreturn]] void refuse_unet(const std::string& message) { throw Error(ErrorCode::config, "U-Net: " + message); }

// The tensor of a condition that the network was built for.
const at::Tensor& given(const at::Tensor& condition, const char* name) {
    if (!condition.defined()) refuse_unet(std::string("the network takes ") + name + ", but none is given");
    return condition;
}

}  // namespace

DiffusionUnet::DiffusionUnet(const DiffusionUnetConfig& config) : config_(config) {
    config.check();
    const std::int64_t first = config.num_channels.front();
    conv_in_ = add<Convolution>("conv_in", ConvolutionOptions{config.in_channels, first});
    build_embeddings();
    build_stages();
    out_norm_ = add<GroupNorm>("out.0", config.norm_num_groups, first, config.norm_eps);
    out_conv_ = add<Convolution>("out.2", ConvolutionOptions{first, config.out_channels});
}

void DiffusionUnet::build_embeddings() {
    const std::int64_t first = config_.num_channels.front();
    const std::int64_t width = 4 * first;
    time_embed_ = add<EmbeddingMlp>("time_embed", first, width);
    if (config_.num_class_embeds) {
        class_embedding_ = add<Embedding>("class_embedding", *config_.num_class_embeds, width);
    }
    if (config_.include_top_region_index_input) {
        top_region_index_layer_ = add<EmbeddingMlp>("top_region_index_layer", 4, width);
    }
    if (config_.include_bottom_region_index_input) {
        bottom_region_index_layer_ = add<EmbeddingMlp>("bottom_region_index_layer", 4, width);
    }
    if (config_.include_spacing_input) spacing_layer_ = add<EmbeddingMlp>("spacing_layer", 3, width);
}

std::int64_t DiffusionUnet::embedding_width() const {
    const std::int64_t parts = 1 + static_cast<std::int64_t>(config_.include_top_region_index_input) +
                               static_cast<std::int64_t>(config_.include_bottom_region_index_input) +
                               static_cast<std::int64_t>(config_.include_spacing_input);
    return 4 * config_.num_channels.front() * parts;
}

std::function<std::shared_ptr<AttentionLayer>()> DiffusionUnet::attention_of(std::size_t level) const {
    const std::int64_t channels = config_.num_channels[level];
    const std::int64_t head = config_.num_head_channels.expand(config_.num_channels.size(), "num_head_channels")[level];
    if (head < 1 || channels % head != 0) {
        refuse_unet("num_head_channels " + std::to_string(head) + " does not divide the " + std::to_string(channels) +
                    " channels of level " + std::to_string(level));
    }
    SpatialAttentionBlockConfig self;
    self.num_channels = channels;
    self.num_head_channels = head;
    self.norm_num_groups = config_.norm_num_groups;
    self.norm_eps = config_.norm_eps;
    self.include_fc = config_.include_fc;
    self.use_combined_linear = config_.use_combined_linear;
    self.use_flash_attention = config_.use_flash_attention;
    if (!config_.with_conditioning) return [self] { return std::make_shared<SpatialAttentionBlock>(self); };
    SpatialTransformerConfig transformer;
    transformer.in_channels = channels;
    transformer.num_attention_heads = channels / head;
    transformer.num_head_channels = head;
    transformer.num_layers = config_.transformer_num_layers;
    transformer.norm_num_groups = config_.norm_num_groups;
    transformer.norm_eps = config_.norm_eps;
    transformer.cross_attention_dim = config_.cross_attention_dim;
    transformer.upcast_attention = config_.upcast_attention;
    transformer.include_fc = config_.include_fc;
    transformer.use_combined_linear = config_.use_combined_linear;
    transformer.use_flash_attention = config_.use_flash_attention;
    return [transformer] { return std::make_shared<SpatialTransformer>(transformer); };
}

void DiffusionUnet::build_stages() {
    const std::vector<std::int64_t>& channels = config_.num_channels;
    const std::size_t levels = channels.size();
    const std::vector<std::int64_t> res_blocks = config_.num_res_blocks.expand(levels, "num_res_blocks");
    UnetStageOptions stage;
    stage.temb_channels = embedding_width();
    stage.norm_num_groups = config_.norm_num_groups;
    stage.norm_eps = config_.norm_eps;
    stage.resblock_updown = config_.resblock_updown;
    for (std::size_t level = 0; level < levels; ++level) {
        stage.in_channels = channels[level == 0 ? 0 : level - 1];
        stage.out_channels = channels[level];
        stage.num_res_blocks = res_blocks[level];
        stage.resample = level + 1 < levels;
        stage.make_attention = config_.attention_levels[level] ? attention_of(level) : nullptr;
        down_blocks_.push_back(std::make_shared<UnetDownBlock>(stage));
    }
    register_list("down_blocks", down_blocks_);
    stage.in_channels = stage.out_channels = channels.back();
    stage.make_attention = attention_of(levels - 1);
    middle_block_ = add<UnetMidBlock>("middle_block", stage);
    for (std::size_t level = levels; level-- > 0;) {
        stage.prev_output_channel = stage.out_channels;
        stage.in_channels = channels[level == 0 ? 0 : level - 1];
        stage.out_channels = channels[level];
        stage.num_res_blocks = res_blocks[level] + 1;
        stage.resample = level > 0;
        stage.make_attention = config_.attention_levels[level] ? attention_of(level) : nullptr;
        up_blocks_.push_back(std::make_shared<UnetUpBlock>(stage));
    }
    register_list("up_blocks", up_blocks_);
}

at::Tensor DiffusionUnet::embed(const at::Tensor& x, const at::Tensor& timesteps, const UnetConditions& conditions) {
    at::Tensor time = timestep_embedding(timesteps, config_.num_channels.front()).to(x.scalar_type());
    at::Tensor emb = time_embed_->forward(std::move(time));  // [N, width]
    if (class_embedding_) {
        emb = emb + class_embedding_->forward(given(conditions.class_labels, "class_labels")).to(x.scalar_type());
    }
    std::vector<at::Tensor> parts{emb};
    if (top_region_index_layer_) {
        parts.push_back(
            top_region_index_layer_->forward(given(conditions.top_region_index_tensor, "top_region_index_tensor")));
    }
    if (bottom_region_index_layer_) {
        parts.push_back(bottom_region_index_layer_->forward(
            given(conditions.bottom_region_index_tensor, "bottom_region_index_tensor")));
    }
    if (spacing_layer_) parts.push_back(spacing_layer_->forward(given(conditions.spacing_tensor, "spacing_tensor")));
    return parts.size() == 1 ? emb : at::cat(parts, 1);
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
    if (x.dim() != 5 || x.size(1) != config_.in_channels) {
        std::ostringstream message;
        message << "the sample is " << x.sizes() << ", expected [N, " << config_.in_channels << ", D, H, W]";
        refuse_unet(message.str());
    }
    if (conditions.context.defined() && !config_.with_conditioning) {
        refuse_unet("a context is given, but the network has with_conditioning: false");
    }
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

}  // namespace voldiff

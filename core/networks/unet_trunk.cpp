#include "core/networks/unet_trunk.h"

#include "core/blocks/script.h"
#include "core/blocks/spatial_transformer.h"
#include "core/blocks/timestep_embedding.h"
#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <sstream>

namespace voldiff {

namespace {

std::int64_t head_channels(const UnetTrunkConfig& config, std::size_t level) {
    const std::int64_t channels = config.num_channels[level];
    const std::int64_t head = config.num_head_channels.expand(config.num_channels.size(), "num_head_channels")[level];
    if (head >= 1 && channels % head == 0) return head;
    throw Error(ErrorCode::config, "U-Net: num_head_channels " + std::to_string(head) + " does not divide the " +
                                       std::to_string(channels) + " channels of level " + std::to_string(level));
}

SpatialAttentionBlockConfig self_attention(const UnetTrunkConfig& config, std::size_t level) {
    SpatialAttentionBlockConfig block;
    block.num_channels = config.num_channels[level];
    block.num_head_channels = head_channels(config, level);
    block.norm_num_groups = config.norm_num_groups;
    block.norm_eps = config.norm_eps;
    return block;
}

SpatialTransformerConfig transformer(const UnetTrunkConfig& config, std::size_t level) {
    SpatialTransformerConfig block;
    block.in_channels = config.num_channels[level];
    block.num_head_channels = head_channels(config, level);
    block.num_attention_heads = block.in_channels / block.num_head_channels;
    block.num_layers = config.transformer_num_layers;
    block.norm_num_groups = config.norm_num_groups;
    block.norm_eps = config.norm_eps;
    block.cross_attention_dim = config.cross_attention_dim;
    block.upcast_attention = config.upcast_attention;
    return block;
}

template <class Block, class Config>
std::shared_ptr<AttentionLayer> make_block(Config config, const AttentionOptions& options) {
    static_cast<AttentionOptions&>(config) = options;
    return std::make_shared<Block>(config);
}

}  // namespace

const at::Tensor& given_condition(const at::Tensor& condition, const char* name) {
    if (condition.defined()) return condition;
    throw Error(ErrorCode::config, std::string("U-Net: the network takes ") + name + ", but none is given");
}

const at::Tensor& given_condition(const at::Tensor& condition, const char* name, std::int64_t width) {
    given_condition(condition, name);
    if (condition.dim() == 2 && condition.size(1) == width) return condition;
    std::ostringstream message;
    message << "U-Net: " << name << " is " << condition.sizes() << ", expected [N, " << width << "]";
    throw Error(ErrorCode::config, message.str());
}

UnetTrunk::UnetTrunk(const UnetTrunkConfig& config, std::int64_t temb_channels)
    : Network({config, config.attention}), trunk_(config), temb_channels_(temb_channels) {
    const std::int64_t first = config.num_channels.front();
    conv_in_ = add<Convolution>("conv_in", ConvolutionOptions{config.in_channels, first});
    time_embed_ = add<EmbeddingMlp>("time_embed", first, config.embedding_width());
    if (config.num_class_embeds) {
        class_embedding_ = add<Embedding>("class_embedding", *config.num_class_embeds, config.embedding_width());
    }
    build_down_blocks();
    build_middle_block();
}

void UnetTrunk::check_call(const at::Tensor& x, const at::Tensor& context) const {
    std::ostringstream message;
    if (x.dim() != 5 || x.size(1) != trunk_.in_channels) {
        message << "the sample is " << x.sizes() << ", expected [N, " << trunk_.in_channels << ", D, H, W]";
    } else if (context.defined() && !trunk_.with_conditioning) {
        message << "a context is given, but the network has with_conditioning: false; leave it out";
    } else if (context.defined() && (context.dim() != 3 || context.size(2) != *trunk_.cross_attention_dim)) {
        message << "the context is " << context.sizes() << ", expected [N, tokens, " << *trunk_.cross_attention_dim
                << "] (cross_attention_dim)";
    } else {
        return;
    }
    throw Error(ErrorCode::config, class_name() + ": " + message.str());
}

MakeAttention UnetTrunk::attention_of(std::size_t level, const std::string& block) {
    return [this, level, block](const std::string& key) -> std::shared_ptr<AttentionLayer> {
        const AttentionOptions options = plan_.options_for(block + "." + key);
        if (trunk_.with_conditioning) return make_block<SpatialTransformer>(transformer(trunk_, level), options);
        return make_block<SpatialAttentionBlock>(self_attention(trunk_, level), options);
    };
}

UnetStageOptions UnetTrunk::stage(std::size_t level, const std::string& block_list, std::size_t index) {
    const std::size_t levels = trunk_.num_channels.size();
    UnetStageOptions stage;
    stage.temb_channels = temb_channels_;
    stage.norm_num_groups = trunk_.norm_num_groups;
    stage.norm_eps = trunk_.norm_eps;
    stage.resblock_updown = trunk_.resblock_updown;
    stage.in_channels = trunk_.num_channels[level == 0 ? 0 : level - 1];
    stage.out_channels = trunk_.num_channels[level];
    stage.num_res_blocks = trunk_.num_res_blocks.expand(levels, "num_res_blocks")[level];
    if (trunk_.attention_levels[level]) {
        stage.make_attention = attention_of(level, block_list + "." + std::to_string(index));
    }
    return stage;
}

void UnetTrunk::build_down_blocks() {
    const std::size_t levels = trunk_.num_channels.size();
    for (std::size_t level = 0; level < levels; ++level) {
        UnetStageOptions options = stage(level, "down_blocks", level);
        options.resample = level + 1 < levels;
        down_blocks_.push_back(std::make_shared<UnetDownBlock>(options));
    }
    register_list("down_blocks", down_blocks_);
}

void UnetTrunk::build_middle_block() {
    const std::size_t last = trunk_.num_channels.size() - 1;
    UnetStageOptions options = stage(last, "", 0);
    options.in_channels = options.out_channels;
    options.make_attention = attention_of(last, "middle_block");
    middle_block_ = add<UnetMidBlock>("middle_block", options);
}

at::Tensor UnetTrunk::embed_time(const at::Tensor& x, const at::Tensor& timesteps, const at::Tensor& class_labels) {
    const at::Tensor time = timestep_embedding(timesteps, trunk_.num_channels.front()).to(x.scalar_type());
    const at::Tensor emb = time_embed_->forward(time);
    if (!class_embedding_) return emb;
    return emb + class_embedding_->forward(given_condition(class_labels, "class_labels")).to(x.scalar_type());
}

std::string UnetTrunk::script_embed_time() const {
    const std::int64_t width = trunk_.num_channels.front();
    return script::fill(
        R"(
    context_: Optional[Tensor] = $context
    frequencies = torch.exp(torch.arange($half, dtype=$float, device=x.device) * $exponent / $half)
    angles = timesteps.to($float).unsqueeze(1) * frequencies.unsqueeze(0)
    time = torch.cat([torch.cos(angles), torch.sin(angles)], 1)
    time = torch.constant_pad_nd(time, [0, $odd])
    emb = $time_embed.forward(time.to(x.dtype))
    $class_embedding
)",
        {{"context", trunk_.with_conditioning ? "context" : "None"},
         {"half", std::to_string(width / 2)},
         {"float", script::type(at::kFloat)},
         {"exponent", script::number(-std::log(10000.0))},
         {"odd", std::to_string(width % 2)},
         {"time_embed", script::member("time_embed")},
         {"class_embedding",
          class_embedding_ ? "emb = emb + self.class_embedding.forward(class_labels).to(x.dtype)" : ""}});
}

std::string UnetTrunk::script_down() const {
    std::string text;
    for (std::size_t i = 0; i < down_blocks_.size(); ++i) {
        text += "    h = " + script::member("down_blocks." + std::to_string(i)) + ".forward(h, emb, context_, skips)\n";
    }
    return text;
}

}  // namespace voldiff

#include "core/blocks/spatial_transformer.h"

#include "core/blocks/script.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/gelu.h>

namespace voldiff {

void SpatialTransformerConfig::visit_options(OptionVisitor& v) {
    v.visit(Option("spatial_dims", "number of spatial dimensions").in(3, 3), spatial_dims);
    v.visit(Option("in_channels", "channels of the input").in(1, 1e6).needed(), in_channels);
    v.visit(Option("num_attention_heads", "attention heads").in(1, 1e6).needed(), num_attention_heads);
    v.visit(Option("num_head_channels", "channels of one head").in(1, 1e6).needed(), num_head_channels);
    v.visit(Option("num_layers", "transformer blocks").in(1, 64), num_layers);
    v.visit(Option("dropout", "training only, ignored").in(0, 1), dropout);
    v.visit(Option("norm_num_groups", "groups of the group norm").in(1, 1e6), norm_num_groups);
    v.visit(Option("norm_eps", "epsilon of the group norm").in(0, 1), norm_eps);
    v.visit(Option("cross_attention_dim", "width of the context").in(1, 1e6), cross_attention_dim);
    v.visit(Option("upcast_attention", "scores in float32"), upcast_attention);
    visit_attention_options(v);
}

GegluMlp::GegluMlp(std::int64_t hidden_size, std::int64_t mlp_dim) {
    linear1_ = add<Linear>("linear1", hidden_size, 2 * mlp_dim);
    linear2_ = add<Linear>("linear2", mlp_dim, hidden_size);
}

at::Tensor GegluMlp::forward(at::Tensor x) {
    const std::vector<at::Tensor> halves = linear1_->forward(std::move(x)).chunk(2, -1);
    return linear2_->forward(halves[0] * at::gelu(halves[1]));
}

// Self-attention, cross-attention and feed-forward, each after a layer norm and added to its input.
class TransformerBlock : public Module {
  public:
    explicit TransformerBlock(const SpatialTransformerConfig& config) {
        const std::int64_t width = config.num_attention_heads * config.num_head_channels;
        std::optional<std::string> dtype = config.attention_dtype;
        if (!dtype && config.upcast_attention) dtype = "float32";
        SABlockConfig self;
        self.hidden_size = width;
        self.num_heads = config.num_attention_heads;
        self.dim_head = config.num_head_channels;
        static_cast<AttentionOptions&>(self) = config;
        self.attention_dtype = dtype;
        CrossAttentionBlockConfig cross;
        cross.hidden_size = width;
        cross.num_heads = config.num_attention_heads;
        cross.dim_head = config.num_head_channels;
        cross.context_input_size = config.cross_attention_dim;
        cross.attention_dtype = dtype;
        cross.use_flash_attention = config.use_flash_attention;
        attn1_ = add<SABlock>("attn1", self);
        ff_ = add<GegluMlp>("ff", width, 4 * width);
        attn2_ = add<CrossAttentionBlock>("attn2", cross);
        norm1_ = add<LayerNorm>("norm1", width);
        norm2_ = add<LayerNorm>("norm2", width);
        norm3_ = add<LayerNorm>("norm3", width);
    }

    at::Tensor forward(at::Tensor x, const at::Tensor& context) {
        x = attn1_->forward(norm1_->forward(x)).add_(x);
        x = attn2_->forward(norm2_->forward(x), context).add_(x);
        return ff_->forward(norm3_->forward(x)).add_(x);
    }

    std::string script() const override {
        return R"(
def forward(self, x: Tensor, context: Optional[Tensor]=None) -> Tensor:
    x = self.attn1.forward(self.norm1.forward(x)) + x
    x = self.attn2.forward(self.norm2.forward(x), context) + x
    return self.ff.forward(self.norm3.forward(x)) + x
)";
    }

  private:
    std::shared_ptr<SABlock> attn1_;
    std::shared_ptr<GegluMlp> ff_;
    std::shared_ptr<CrossAttentionBlock> attn2_;
    std::shared_ptr<LayerNorm> norm1_;
    std::shared_ptr<LayerNorm> norm2_;
    std::shared_ptr<LayerNorm> norm3_;
};

SpatialTransformer::SpatialTransformer(const SpatialTransformerConfig& config) {
    const std::int64_t inner = config.num_attention_heads * config.num_head_channels;
    norm_ = add<GroupNorm>("norm", config.norm_num_groups, config.in_channels, config.norm_eps);
    ConvolutionOptions projection{config.in_channels, inner, 1, 1, 0};
    proj_in_ = add<Convolution>("proj_in", projection);
    for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
        transformer_blocks_.push_back(std::make_shared<TransformerBlock>(config));
    }
    register_list("transformer_blocks", transformer_blocks_);
    std::swap(projection.in_channels, projection.out_channels);
    proj_out_ = add<Convolution>("proj_out", projection);
}

at::Tensor SpatialTransformer::attend(const at::Tensor& x, const at::Tensor& context) {
    const at::Tensor projected = proj_in_->forward(norm_->forward(x));      // [N, inner, D, H, W]
    at::Tensor tokens = projected.flatten(2).transpose(1, 2).contiguous();  // [N, D H W, inner]
    for (const auto& block : transformer_blocks_) tokens = block->forward(std::move(tokens), context);
    return proj_out_->forward(tokens.transpose(1, 2).reshape(projected.sizes())).add_(x);
}

std::string GegluMlp::script() const {
    return R"(
def forward(self, x: Tensor) -> Tensor:
    a, b = torch.chunk(self.linear1.forward(x), 2, -1)
    return self.linear2.forward(a * torch.gelu(b))
)";
}

std::string SpatialTransformer::script() const {
    std::string blocks;
    for (std::size_t i = 0; i < transformer_blocks_.size(); ++i) {
        blocks +=
            "    tokens = " + script::member("transformer_blocks." + std::to_string(i)) + ".forward(tokens, context)\n";
    }
    return script::fill(R"(
def forward(self, x: Tensor, context: Optional[Tensor]=None) -> Tensor:
    projected = self.proj_in.forward(self.norm.forward(x))
    tokens = projected.flatten(2).transpose(1, 2).contiguous()
$blocks
    return self.proj_out.forward(tokens.transpose(1, 2).reshape(projected.size())) + x
)",
                        {{"blocks", blocks}});
}

}  // namespace voldiff

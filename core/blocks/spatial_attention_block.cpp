#include "core/blocks/attention_layer.h"
#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

namespace {

SABlockConfig sequence_attention(const SpatialAttentionBlockConfig& config) {
    const std::int64_t channels = config.num_channels;
    const std::int64_t head = config.num_head_channels.value_or(channels);
    if (head < 1 || channels % head != 0) {
        throw Error(ErrorCode::config, "SpatialAttentionBlock: num_channels " + std::to_string(channels) +
                                           " is not divisible by num_head_channels " + std::to_string(head));
    }
    SABlockConfig attention;
    attention.hidden_size = channels;
    attention.num_heads = channels / head;
    attention.qkv_bias = true;
    static_cast<AttentionOptions&>(attention) = config;
    return attention;
}

}  // namespace

void SpatialAttentionBlockConfig::visit_options(OptionVisitor& v) {
    v.visit(Option("spatial_dims", "number of spatial dimensions").in(1, 3), spatial_dims);
    v.visit(Option("num_channels", "channels of the input").in(1, 1e6).needed(), num_channels);
    v.visit(Option("num_head_channels", "channels of one head").in(1, 1e6), num_head_channels);
    v.visit(Option("norm_num_groups", "groups of the group norm").in(1, 1e6), norm_num_groups);
    v.visit(Option("norm_eps", "epsilon of the group norm").in(0, 1), norm_eps);
    visit_attention_options(v);
}

SpatialAttentionBlock::SpatialAttentionBlock(const SpatialAttentionBlockConfig& config) {
    norm_ = add<GroupNorm>("norm", config.norm_num_groups, config.num_channels, config.norm_eps);
    attn_ = add<SABlock>("attn", sequence_attention(config));
}

at::Tensor SpatialAttentionBlock::attend(const at::Tensor& x, const at::Tensor& /*context*/) {
    // [N, C, D, H, W] -> [N, D H W, C]
    const at::Tensor tokens = norm_->forward(x).flatten(2).transpose(1, 2).contiguous();
    // [N, D H W, C] -> [N, C, D, H, W]
    return attn_->forward(tokens).transpose(1, 2).reshape(x.sizes()).add_(x);
}

std::string SpatialAttentionBlock::script() const {
    return R"(
def forward(self, x: Tensor, context: Optional[Tensor]=None) -> Tensor:
    tokens = self.norm.forward(x).flatten(2).transpose(1, 2).contiguous()
    return self.attn.forward(tokens).transpose(1, 2).reshape(x.size()) + x
)";
}

}  // namespace voldiff

#include "core/blocks/attention_layer.h"
#include "core/blocks/script.h"
#include "core/error.h"
#include "core/ops/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>

#include <cmath>
#include <limits>

namespace voldiff {

namespace {

[[noreturn]] void refuse_cross_attention(const std::string& message) {
    throw Error(ErrorCode::config, "CrossAttentionBlock: " + message);
}

}  // namespace

void CrossAttentionBlockConfig::visit_options(OptionVisitor& v) {
    v.visit(Option("hidden_size", "width of the hidden layer").in(1, 1e6).needed(), hidden_size);
    v.visit(Option("num_heads", "attention heads").in(1, 1e6).needed(), num_heads);
    v.visit(Option("dropout_rate", "training only, ignored").in(0, 1), dropout_rate);
    v.visit(Option("hidden_input_size", "width of the input").in(1, 1e6), hidden_input_size);
    v.visit(Option("context_input_size", "width of the context").in(1, 1e6), context_input_size);
    v.visit(Option("dim_head", "width of a head").in(1, 1e6), dim_head);
    v.visit(Option("qkv_bias", "bias of the query, key and value projections"), qkv_bias);
    v.visit(Option("save_attn", "keep the attention matrix"), save_attn);
    v.visit(Option("causal", "attend to earlier tokens only"), causal);
    v.visit(Option("sequence_length", "longest sequence of causal attention").in(1, 1e6), sequence_length);
    v.visit(Option("attention_dtype", "type of the scores"), attention_dtype);
    v.visit(Option("use_flash_attention", "memory-efficient attention"), use_flash_attention);
}

void CrossAttentionBlockConfig::check() const {
    if (dropout_rate < 0 || dropout_rate > 1) refuse_cross_attention("dropout_rate should be between 0 and 1");
    if (!dim_head && (num_heads < 1 || hidden_size % num_heads != 0)) {
        refuse_cross_attention("hidden_size " + std::to_string(hidden_size) + " is not divisible by num_heads " +
                               std::to_string(num_heads));
    }
    if (causal && !sequence_length) refuse_cross_attention("causal attention needs sequence_length");
    if (use_flash_attention && save_attn)
        refuse_cross_attention("save_attn cannot be used together with use_flash_attention");
    if (attention_dtype) attention_type(*attention_dtype);
}

CrossAttentionBlock::CrossAttentionBlock(const CrossAttentionBlockConfig& config) : config_(config) {
    config.check();
    const std::int64_t inner = config.num_heads * config.head_width();
    const std::int64_t input = config.hidden_input_size.value_or(config.hidden_size);
    const std::int64_t context = config.context_input_size.value_or(config.hidden_size);
    out_proj_ = add<Linear>("out_proj", inner, input);
    to_q_ = add<Linear>("to_q", input, inner, config.qkv_bias);
    to_k_ = add<Linear>("to_k", context, inner, config.qkv_bias);
    to_v_ = add<Linear>("to_v", context, inner, config.qkv_bias);
    if (config.causal) {
        const std::int64_t length = *config.sequence_length;
        causal_mask_ = at::ones({length, length}).tril().view({1, 1, length, length});
        register_tensor("causal_mask", causal_mask_);
    }
}

at::Tensor CrossAttentionBlock::forward(const at::Tensor& x, const at::Tensor& context) {
    const at::Tensor& source = context.defined() ? context : x;
    const std::int64_t width = config_.context_input_size.value_or(config_.hidden_size);
    if (source.size(-1) != width) {
        refuse_cross_attention(
            std::string(context.defined() ? "the context" : "no context is given, and the sequence") +
            " has a width of " + std::to_string(source.size(-1)) + ", expected " + std::to_string(width));
    }
    at::Tensor q = split_heads(to_q_->forward(x), config_.num_heads);
    at::Tensor k = split_heads(to_k_->forward(source), config_.num_heads);
    const at::Tensor v = split_heads(to_v_->forward(source), config_.num_heads);
    if (config_.attention_dtype) {
        const at::ScalarType type = attention_type(*config_.attention_dtype);
        q = q.to(type);
        k = k.to(type);
    }
    ops::AttentionOptions options;
    options.scale = attention_scale(config_.head_width());
    if (config_.causal) {
        if (std::max(x.size(1), source.size(1)) > *config_.sequence_length) {
            refuse_cross_attention("a sequence is longer than sequence_length " +
                                   std::to_string(*config_.sequence_length));
        }
        options.adjust_scores = [&](at::Tensor& scores, std::int64_t begin, std::int64_t end) {
            scores.masked_fill_(causal_mask_.slice(2, begin, end).slice(3, 0, scores.size(3)) == 0,
                                -std::numeric_limits<double>::infinity());
        };
    }
    if (config_.save_attn) options.probabilities = &att_mat_;
    return out_proj_->forward(merge_heads(ops::attention(q, k, v, options)));
}

std::string CrossAttentionBlock::script() const {
    const std::string causal =
        "        scores = scores.masked_fill(self.causal_mask[:, :, begin:end, :k.size(2)] == 0, float(\"-inf\"))\n";
    return script::fill(
        R"(
def forward(self, x: Tensor, context: Optional[Tensor]=None) -> Tensor:
    source = x
    if context is not None:
        source = context
    shape = [x.size(0), -1, $heads, $width]
    q = self.to_q.forward(x).reshape(shape).transpose(1, 2)$type
    k = self.to_k.forward(source).reshape(shape).transpose(1, 2)$type
    v = self.to_v.forward(source).reshape(shape).transpose(1, 2)
$attention
    return self.out_proj.forward(y.transpose(1, 2).reshape([x.size(0), x.size(1), $inner]))
)",
        {{"heads", std::to_string(config_.num_heads)},
         {"width", std::to_string(config_.head_width())},
         {"type", script_cast(config_.attention_dtype)},
         {"attention", script::attention(attention_scale(config_.head_width()), config_.causal ? causal : "")},
         {"inner", std::to_string(config_.num_heads * config_.head_width())}});
}

}  // namespace voldiff

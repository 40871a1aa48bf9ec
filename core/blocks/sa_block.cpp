#include "core/blocks/sa_block.h"

#include "core/blocks/script.h"
#include "core/error.h"
#include "core/ops/attention.h"

#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/ones.h>

#include <cmath>
#include <limits>

namespace voldiff {

namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::config, "SABlock: " + message); }

}  // namespace

void SABlockConfig::visit_options(OptionVisitor& v) {
    v.visit(Option("hidden_size", "width of the hidden layer").in(1, 1e6).needed(), hidden_size);
    v.visit(Option("num_heads", "attention heads").in(1, 1e6).needed(), num_heads);
    v.visit(Option("dropout_rate", "training only, ignored").in(0, 1), dropout_rate);
    v.visit(Option("qkv_bias", "bias of the query, key and value projections"), qkv_bias);
    v.visit(Option("save_attn", "keep the attention matrix"), save_attn);
    v.visit(Option("dim_head", "width of a head").in(1, 1e6), dim_head);
    v.visit(Option("hidden_input_size", "width of the input").in(1, 1e6), hidden_input_size);
    v.visit(Option("causal", "attend to earlier tokens only"), causal);
    v.visit(Option("sequence_length", "longest sequence of causal attention").in(1, 1e6), sequence_length);
    v.visit(Option("rel_pos_embedding", "relative position term").one_of({"decomposed"}), rel_pos_embedding);
    v.visit(Option("input_size", "extents of the sequence for the relative position term").in(1, 1e6), input_size);
    visit_attention_options(v);
}

void SABlockConfig::check() const {
    if (dropout_rate < 0 || dropout_rate > 1) refuse("dropout_rate should be between 0 and 1");
    if (hidden_size < 1 || num_heads < 1 || hidden_size % num_heads != 0) {
        refuse("hidden_size " + std::to_string(hidden_size) + " is not divisible by num_heads " +
               std::to_string(num_heads));
    }
    if (causal && !sequence_length) refuse("causal attention needs sequence_length");
    if (use_flash_attention && save_attn) refuse("save_attn cannot be used together with use_flash_attention");
    if (use_flash_attention && rel_pos_embedding) refuse("rel_pos_embedding cannot be used with use_flash_attention");
    if (rel_pos_embedding && input_size.size() != 2 && input_size.size() != 3) {
        refuse("rel_pos_embedding needs input_size with 2 or 3 extents, found " + std::to_string(input_size.size()));
    }
    if (rel_pos_embedding && input_size.size() == 3 &&
        (input_size[0] != input_size[1] || input_size[1] != input_size[2])) {
        refuse("rel_pos_embedding in 3D needs three equal extents in input_size, as in MONAI");
    }
    if (attention_dtype) attention_type(*attention_dtype);
}

at::ScalarType attention_type(const std::string& name) {
    const std::string type = name.substr(name.rfind('.') + 1);  // "torch.float32" too
    if (type == "float32" || type == "float") return at::kFloat;
    if (type == "float64" || type == "double") return at::kDouble;
    if (type == "float16" || type == "half") return at::kHalf;
    if (type == "bfloat16") return at::kBFloat16;
    refuse("unknown attention_dtype '" + name + "', expected float32, float64, float16 or bfloat16");
}

double attention_scale(std::int64_t head_width) { return 1 / std::sqrt(static_cast<double>(head_width)); }

std::string script_cast(const std::optional<std::string>& attention_dtype) {
    return attention_dtype ? ".to(" + script::type(attention_type(*attention_dtype)) + ")" : "";
}

at::Tensor split_heads(const at::Tensor& x, std::int64_t num_heads) {
    return x.view({x.size(0), x.size(1), num_heads, x.size(2) / num_heads}).transpose(1, 2);
}

at::Tensor merge_heads(const at::Tensor& x) {
    return x.transpose(1, 2).reshape({x.size(0), x.size(2), x.size(1) * x.size(3)});
}

DecomposedRelativePosEmbedding::DecomposedRelativePosEmbedding(std::vector<std::int64_t> extents,
                                                               std::int64_t head_width)
    : extents_(std::move(extents)) {
    rel_pos_arr_.resize(extents_.size());
    for (std::size_t axis = 0; axis < extents_.size(); ++axis) {
        register_tensor("rel_pos_arr." + std::to_string(axis), rel_pos_arr_[axis],
                        {2 * extents_[axis] - 1, head_width});
    }
}

// Rows of a table of relative positions for every pair of positions on an axis: [extent, extent, d].
at::Tensor DecomposedRelativePosEmbedding::pairs(std::size_t axis) const {
    const std::int64_t extent = extents_[axis];
    const at::Tensor positions = at::arange(extent, at::kLong);
    return rel_pos_arr_[axis].index({positions.unsqueeze(1) - positions + (extent - 1)});
}

// q [N, heads, h, w, d]; scores [N, heads, c, h, w]
void DecomposedRelativePosEmbedding::add_2d(const at::Tensor& scores, const at::Tensor& q, std::int64_t begin,
                                            std::int64_t end) const {
    const at::Tensor rel_h = at::einsum("nxhwc,hkc->nxhwk", {q, pairs(0)}).flatten(2, 3).slice(2, begin, end);
    const at::Tensor rel_w = at::einsum("nxhwc,wkc->nxhwk", {q, pairs(1)}).flatten(2, 3).slice(2, begin, end);
    scores.add_(rel_h.unsqueeze(4)).add_(rel_w.unsqueeze(3));
}

// q [N, heads, h, w, d, c]; scores [N, heads, c, h, w, d]. MONAI's 3D branch puts its terms on other axes than their
// names say, and so runs for cubes only; the trained tables mean what it computes.
void DecomposedRelativePosEmbedding::add_3d(const at::Tensor& scores, const at::Tensor& q, std::int64_t begin,
                                            std::int64_t end) const {
    const std::int64_t side = extents_[0];
    const at::Tensor rel_h = at::einsum("nxhwdc,hkc->nxhwdk", {q, pairs(0)}).flatten(2, 4).slice(2, begin, end);
    scores.add_(rel_h.unsqueeze(3).unsqueeze(3));  // over the keys' last axis
    const auto rows_of = [&](std::size_t axis) {   // [N, heads, c, d, k] of the queries' line along the last axis
        const at::Tensor lines = at::einsum("nxhwdc,wkc->nxhwdk", {q, pairs(axis)}).flatten(2, 3);
        return lines.index_select(2, at::arange(begin, end, at::kLong).div(side, "floor"));
    };
    scores.add_(rows_of(1).unsqueeze(4)).add_(rows_of(2).unsqueeze(3));
}

void DecomposedRelativePosEmbedding::add_to(at::Tensor& scores, const at::Tensor& q, std::int64_t begin,
                                            std::int64_t end) const {
    std::int64_t positions = 1;
    for (const std::int64_t extent : extents_) positions *= extent;
    if (positions != q.size(2)) {
        refuse("input_size has " + std::to_string(positions) + " positions, the sequence has " +
               std::to_string(q.size(2)));
    }
    std::vector<std::int64_t> query_shape{q.size(0), q.size(1)};
    query_shape.insert(query_shape.end(), extents_.begin(), extents_.end());
    query_shape.push_back(q.size(3));
    std::vector<std::int64_t> score_shape{q.size(0), q.size(1), end - begin};
    score_shape.insert(score_shape.end(), extents_.begin(), extents_.end());
    const at::Tensor shaped = scores.view(score_shape);
    const at::Tensor queries = q.reshape(query_shape);
    extents_.size() == 3 ? add_3d(shaped, queries, begin, end) : add_2d(shaped, queries, begin, end);
}

SABlock::SABlock(const SABlockConfig& config) : config_(config) {
    config.check();
    const std::int64_t input = config.input_width();
    const std::int64_t inner = config.inner_width();
    if (config.include_fc) out_proj_ = add<Linear>("out_proj", inner, input);
    if (config.use_combined_linear) {
        qkv_ = add<Linear>("qkv", input, 3 * inner, config.qkv_bias);
    } else {
        to_q_ = add<Linear>("to_q", input, inner, config.qkv_bias);
        to_k_ = add<Linear>("to_k", input, inner, config.qkv_bias);
        to_v_ = add<Linear>("to_v", input, inner, config.qkv_bias);
    }
    if (config.causal) {
        const std::int64_t length = *config.sequence_length;
        causal_mask_ = at::ones({length, length}).tril().view({1, 1, length, length});
        register_tensor("causal_mask", causal_mask_);
    }
    if (config.rel_pos_embedding) {
        rel_positional_embedding_ =
            add<DecomposedRelativePosEmbedding>("rel_positional_embedding", config.input_size, config.head_width());
    }
}

std::vector<at::Tensor> SABlock::project(const at::Tensor& x) {
    std::vector<at::Tensor> heads;
    if (config_.use_combined_linear) {
        // [N, L, 3 inner]: all queries, all keys, all values
        for (const at::Tensor& part : qkv_->forward(x).chunk(3, -1)) {
            heads.push_back(split_heads(part.contiguous(), config_.num_heads));
        }
    } else {
        for (const auto& projection : {to_q_, to_k_, to_v_}) {
            heads.push_back(split_heads(projection->forward(x), config_.num_heads));
        }
    }
    return heads;
}

void SABlock::adjust_scores(at::Tensor& scores, const at::Tensor& q, const at::Tensor& attn_mask, std::int64_t begin,
                            std::int64_t end) const {
    if (config_.rel_pos_embedding) rel_positional_embedding_->add_to(scores, q, begin, end);
    if (config_.causal) {
        scores.masked_fill_(causal_mask_.slice(2, begin, end).slice(3, 0, scores.size(3)) == 0, minus_infinity);
    }
    if (attn_mask.defined()) scores.masked_fill_(attn_mask.unsqueeze(1).unsqueeze(2) == 0, minus_infinity);
}

at::Tensor SABlock::forward(const at::Tensor& x, const at::Tensor& attn_mask) {
    if (config_.causal && attn_mask.defined()) refuse("causal attention does not take an attn_mask");
    if (config_.causal && x.size(1) > *config_.sequence_length) {
        refuse("a sequence of " + std::to_string(x.size(1)) + " tokens is longer than sequence_length " +
               std::to_string(*config_.sequence_length));
    }
    std::vector<at::Tensor> heads = project(x);  // each [N, heads, L, d]
    if (config_.attention_dtype) {
        const at::ScalarType type = attention_type(*config_.attention_dtype);
        heads[0] = heads[0].to(type);
        heads[1] = heads[1].to(type);
    }
    ops::AttentionOptions options;
    options.scale = attention_scale(config_.head_width());
    if (config_.rel_pos_embedding || config_.causal || attn_mask.defined()) {
        options.adjust_scores = [&](at::Tensor& scores, std::int64_t begin, std::int64_t end) {
            adjust_scores(scores, heads[0], attn_mask, begin, end);
        };
    }
    if (config_.save_attn) options.probabilities = &att_mat_;
    at::Tensor y = merge_heads(ops::attention(heads[0], heads[1], heads[2], options));
    return config_.include_fc ? out_proj_->forward(std::move(y)) : y;
}

std::string SABlock::script() const {
    if (config_.rel_pos_embedding) refuse("rel_pos_embedding is not written as TorchScript");
    std::string adjust;
    if (config_.causal) {
        adjust =
            "        seen = self.causal_mask[:, :, begin:end, :k.size(2)]\n"
            "        scores = scores.masked_fill(seen == 0, float(\"-inf\"))\n";
    }
    adjust +=
        "        if attn_mask is not None:\n"
        "            scores = scores.masked_fill(attn_mask.unsqueeze(1).unsqueeze(2) == 0, float(\"-inf\"))\n";
    const std::string fused = "    q, k, v = torch.chunk(self.qkv.forward(x), 3, -1)\n";
    const std::string separate =
        "    q = self.to_q.forward(x)\n    k = self.to_k.forward(x)\n    v = self.to_v.forward(x)\n";
    return script::fill(R"(
def forward(self, x: Tensor, attn_mask: Optional[Tensor]=None) -> Tensor:
$projections
    shape = [x.size(0), x.size(1), $heads, $width]
    q = q.reshape(shape).transpose(1, 2)$type
    k = k.reshape(shape).transpose(1, 2)$type
    v = v.reshape(shape).transpose(1, 2)
$attention
    y = y.transpose(1, 2).reshape([x.size(0), x.size(1), $inner])
    return $result
)",
                        {{"projections", config_.use_combined_linear ? fused : separate},
                         {"heads", std::to_string(config_.num_heads)},
                         {"width", std::to_string(config_.head_width())},
                         {"type", script_cast(config_.attention_dtype)},
                         {"attention", script::attention(attention_scale(config_.head_width()), adjust)},
                         {"inner", std::to_string(config_.inner_width())},
                         {"result", config_.include_fc ? "self.out_proj.forward(y)" : "y"}});
}

}  // namespace voldiff

#include "core/blocks/layers.h"

#include "core/error.h"
#include "core/ops/conv.h"
#include "core/ops/norm.h"

#include <ATen/ATen.h>

namespace voldiff {

namespace {

// Untouched memory: it costs nothing until a checkpoint takes its place.
at::Tensor register_weights(torch::nn::Module& module, const std::string& name, at::IntArrayRef shape) {
    return module.register_parameter(name, at::empty(shape), /*requires_grad=*/false);
}

class KeyPrefix : public torch::nn::Module {};

}  // namespace

ConvolutionImpl::ConvolutionImpl(const ConvolutionOptions& options) : options_(options) {
    torch::nn::Module* holder = this;
    for (int depth = 0; depth < options.key_depth; ++depth) {
        holder = holder->register_module("conv", std::make_shared<KeyPrefix>()).get();
    }
    const std::int64_t k = options.kernel_size;
    const std::int64_t rows = options.is_transposed ? options.in_channels : options.out_channels;
    const std::int64_t columns = options.is_transposed ? options.out_channels : options.in_channels;
    weight_ = register_weights(*holder, "weight", {rows, columns, k, k, k});
    bias_ = register_weights(*holder, "bias", {options.out_channels});
}

at::Tensor ConvolutionImpl::forward(at::Tensor x) {
    if (options_.is_transposed) {
        return ops::conv_transpose3d(x, weight_, bias_, options_.stride, options_.padding, options_.output_padding);
    }
    return ops::conv3d(x, weight_, bias_, options_.stride, options_.padding);
}

LinearImpl::LinearImpl(std::int64_t in_features, std::int64_t out_features, bool with_bias) {
    weight_ = register_weights(*this, "weight", {out_features, in_features});
    if (with_bias) bias_ = register_weights(*this, "bias", {out_features});
}

at::Tensor LinearImpl::forward(at::Tensor x) {
    return bias_.defined() ? at::linear(x, weight_, bias_) : at::linear(x, weight_);
}

GroupNormImpl::GroupNormImpl(std::int64_t num_groups, std::int64_t num_channels, double eps)
    : num_groups_(num_groups), eps_(eps) {
    if (num_groups < 1 || num_channels % num_groups != 0) {
        throw Error(ErrorCode::config, "group norm: " + std::to_string(num_channels) +
                                           " channels cannot be divided into " + std::to_string(num_groups) +
                                           " groups (norm_num_groups)");
    }
    weight_ = register_weights(*this, "weight", {num_channels});
    bias_ = register_weights(*this, "bias", {num_channels});
}

at::Tensor GroupNormImpl::forward(at::Tensor x) { return ops::group_norm(x, num_groups_, weight_, bias_, eps_); }

at::Tensor GroupNormImpl::forward_silu(const at::Tensor& x) {
    return ops::group_norm_silu(x, num_groups_, weight_, bias_, eps_);
}

LayerNormImpl::LayerNormImpl(std::int64_t width) {
    weight_ = register_weights(*this, "weight", {width});
    bias_ = register_weights(*this, "bias", {width});
}

at::Tensor LayerNormImpl::forward(at::Tensor x) { return at::layer_norm(x, weight_.sizes(), weight_, bias_, 1e-5); }

EmbeddingImpl::EmbeddingImpl(std::int64_t num_embeddings, std::int64_t width) {
    weight_ = register_weights(*this, "weight", {num_embeddings, width});
}

at::Tensor EmbeddingImpl::forward(at::Tensor labels) { return at::embedding(weight_, labels); }

EmbeddingMlpImpl::EmbeddingMlpImpl(std::int64_t in_features, std::int64_t width) {
    first_ = register_module("0", Linear(in_features, width));
    second_ = register_module("2", Linear(width, width));
}

at::Tensor EmbeddingMlpImpl::forward(at::Tensor x) { return second_->forward(at::silu(first_->forward(std::move(x)))); }

}  // namespace voldiff

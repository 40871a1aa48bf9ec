#include "core/blocks/layers.h"

#include "core/blocks/script.h"
#include "core/error.h"
#include "core/ops/planes/store.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/silu.h>

namespace voldiff {

Convolution::Convolution(const ConvolutionOptions& options) : options_(options) {
    std::string prefix;
    for (int depth = 0; depth < options.key_depth; ++depth) prefix += "conv.";
    const std::int64_t k = options.kernel_size;
    const std::int64_t rows = options.is_transposed ? options.in_channels : options.out_channels;
    const std::int64_t columns = options.is_transposed ? options.out_channels : options.in_channels;
    register_tensor(prefix + "weight", weight_, {rows, columns, k, k, k});
    register_tensor(prefix + "bias", bias_, {options.out_channels});
    register_packed(packed_);
}

at::Tensor Convolution::forward(at::Tensor x, const ops::ConvFusion& fusion) {
    if (options_.is_transposed) {
        return ops::conv_transpose3d(x, weight_, bias_, options_.stride, options_.padding, options_.output_padding);
    }
    return ops::conv3d(x, {weight_, bias_, &packed_, options_.stride, options_.padding}, fusion);
}

ops::Planes Convolution::forward_planes(ops::Planes x, const LevelPlan& plan) {
    if (options_.is_transposed || options_.stride != 1) return TensorModule::forward_planes(std::move(x), plan);
    ops::Planes y = forward_planes(std::move(x), ops::PlaneFusion());
    return plan.output ? ops::stored(std::move(y)) : y;
}

ops::Planes Convolution::forward_planes(ops::Planes x, const ops::PlaneFusion& fusion) {
    if (options_.is_transposed) {
        return ops::conv3d(std::move(x), ops::of_transposed(weight_, bias_), fusion.upsampled(ops::Upsampling::zeros));
    }
    return ops::conv3d(std::move(x), {weight_, bias_, &packed_, options_.stride, options_.padding}, fusion);
}

Linear::Linear(std::int64_t in_features, std::int64_t out_features, bool with_bias) {
    register_tensor("weight", weight_, {out_features, in_features});
    if (with_bias) register_tensor("bias", bias_, {out_features});
    register_packed(packed_);
}

at::Tensor Linear::forward(at::Tensor x) { return ops::linear(x, weight_, bias_, packed_); }

GroupNorm::GroupNorm(std::int64_t num_groups, std::int64_t num_channels, double eps)
    : num_groups_(num_groups), eps_(eps) {
    if (num_groups < 1 || num_channels % num_groups != 0) {
        throw Error(ErrorCode::config, "group norm: " + std::to_string(num_channels) +
                                           " channels cannot be divided into " + std::to_string(num_groups) +
                                           " groups (norm_num_groups)");
    }
    register_tensor("weight", weight_, {num_channels});
    register_tensor("bias", bias_, {num_channels});
}

at::Tensor GroupNorm::forward(at::Tensor x) { return ops::group_norm(x, parameters()); }

ops::Planes GroupNorm::forward_planes(ops::Planes x, const LevelPlan&) {
    return ops::group_norm(std::move(x), parameters());
}

at::Tensor GroupNorm::forward_silu(const at::Tensor& x) { return ops::group_norm_silu(x, parameters()); }

LayerNorm::LayerNorm(std::int64_t width) {
    register_tensor("weight", weight_, {width});
    register_tensor("bias", bias_, {width});
}

at::Tensor LayerNorm::forward(at::Tensor x) {
    return at::layer_norm(x.to(weight_.scalar_type()), weight_.sizes(), weight_, bias_, 1e-5);
}

Embedding::Embedding(std::int64_t num_embeddings, std::int64_t width) {
    register_tensor("weight", weight_, {num_embeddings, width});
}

at::Tensor Embedding::forward(at::Tensor labels) { return at::embedding(weight_, labels); }

EmbeddingMlp::EmbeddingMlp(std::int64_t in_features, std::int64_t width) {
    first_ = add<Linear>("0", in_features, width);
    second_ = add<Linear>("2", width, width);
}

at::Tensor EmbeddingMlp::forward(at::Tensor x) { return second_->forward(at::silu(first_->forward(std::move(x)))); }

std::string Convolution::script() const {
    std::string prefix;
    for (int depth = 0; depth < options_.key_depth; ++depth) prefix += "conv.";
    const auto cube = [](std::int64_t value) { return script::list({value, value, value}); };
    return script::fill(
        "def forward(self, x: Tensor) -> Tensor:\n"
        "    return torch.$convolution(x, $weight, $bias, $stride, $padding$output_padding)\n",
        {{"convolution", options_.is_transposed ? "conv_transpose3d" : "conv3d"},
         {"weight", script::member(prefix + "weight")},
         {"bias", script::member(prefix + "bias")},
         {"stride", cube(options_.stride)},
         {"padding", cube(options_.padding)},
         {"output_padding", options_.is_transposed ? ", " + cube(options_.output_padding) : ""}});
}

std::string Linear::script() const {
    return script::fill("def forward(self, x: Tensor) -> Tensor:\n    return torch.linear(x, self.weight$bias)\n",
                        {{"bias", bias_.defined() ? ", self.bias" : ""}});
}

std::string GroupNorm::script() const {
    return script::fill(R"(
def forward(self, x: Tensor) -> Tensor:
    return torch.group_norm(x, $groups, self.weight, self.bias, $eps)

def forward_silu(self, x: Tensor) -> Tensor:
    return torch.silu(self.forward(x))
)",
                        {{"groups", std::to_string(num_groups_)}, {"eps", script::number(eps_)}});
}

std::string LayerNorm::script() const {
    return script::fill(
        "def forward(self, x: Tensor) -> Tensor:\n"
        "    return torch.layer_norm(x, $shape, self.weight, self.bias, 1e-05)\n",
        {{"shape", script::list(weight_.sizes().vec())}});
}

std::string Embedding::script() const {
    return "def forward(self, x: Tensor) -> Tensor:\n    return torch.embedding(self.weight, x)\n";
}

std::string EmbeddingMlp::script() const {
    return script::fill(
        "def forward(self, x: Tensor) -> Tensor:\n    return $second.forward(torch.silu($first.forward(x)))\n",
        {{"first", script::member("0")}, {"second", script::member("2")}});
}

}  // namespace voldiff

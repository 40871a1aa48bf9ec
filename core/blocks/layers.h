// The layers that hold parameters. Unlike torch::nn's they draw no random weights: a parameter has its shape from the
// start and its values from a checkpoint (core/state_dict). Parameter names are those of torch.nn.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <memory>
#include <string>

namespace voldiff {

// A module that maps one tensor to one tensor. Takes its argument by value, so that a caller can give it up.
class TensorModule : public torch::nn::Module {
  public:
    virtual at::Tensor forward(at::Tensor x) = 0;
};

struct ConvolutionOptions {
    std::int64_t in_channels = 0;
    std::int64_t out_channels = 0;
    std::int64_t kernel_size = 3;
    std::int64_t stride = 1;
    std::int64_t padding = 1;
    bool is_transposed = false;
    std::int64_t output_padding = 0;  // transposed only
    // How many `conv.` come before `weight` in the keys: 1 for monai/networks/blocks/convolutions.py (Convolution),
    // 2 for MaisiConvolution, which wraps it.
    int key_depth = 1;
};

// Convolution with bias. [N, in, D, H, W] -> [N, out, D', H', W']
class ConvolutionImpl : public TensorModule {
  public:
    explicit ConvolutionImpl(const ConvolutionOptions& options);
    at::Tensor forward(at::Tensor x) override;

  private:
    ConvolutionOptions options_;
    at::Tensor weight_;
    at::Tensor bias_;
};
TORCH_MODULE(Convolution);

// [..., in] -> [..., out]
class LinearImpl : public TensorModule {
  public:
    LinearImpl(std::int64_t in_features, std::int64_t out_features, bool with_bias = true);
    at::Tensor forward(at::Tensor x) override;

  private:
    at::Tensor weight_;
    at::Tensor bias_;
};
TORCH_MODULE(Linear);

// [N, C, ...] -> the same shape. Throws Error(config) where the groups do not divide the channels.
class GroupNormImpl : public TensorModule {
  public:
    GroupNormImpl(std::int64_t num_groups, std::int64_t num_channels, double eps);
    at::Tensor forward(at::Tensor x) override;
    // silu(forward(x))
    at::Tensor forward_silu(const at::Tensor& x);

  private:
    std::int64_t num_groups_;
    double eps_;
    at::Tensor weight_;
    at::Tensor bias_;
};
TORCH_MODULE(GroupNorm);

// Over the last axis. [..., C] -> [..., C]
class LayerNormImpl : public TensorModule {
  public:
    explicit LayerNormImpl(std::int64_t width);
    at::Tensor forward(at::Tensor x) override;

  private:
    at::Tensor weight_;
    at::Tensor bias_;
};
TORCH_MODULE(LayerNorm);

// Integer labels [N] -> [N, width]
class EmbeddingImpl : public TensorModule {
  public:
    EmbeddingImpl(std::int64_t num_embeddings, std::int64_t width);
    at::Tensor forward(at::Tensor labels) override;

  private:
    at::Tensor weight_;
};
TORCH_MODULE(Embedding);

// Linear, SiLU, Linear: the embedding networks of the U-Nets, keys `0` and `2`. [N, in] -> [N, width]
class EmbeddingMlpImpl : public TensorModule {
  public:
    EmbeddingMlpImpl(std::int64_t in_features, std::int64_t width);
    at::Tensor forward(at::Tensor x) override;

  private:
    Linear first_{nullptr};
    Linear second_{nullptr};
};
TORCH_MODULE(EmbeddingMlp);

// Registers `modules` in `parent` under `name`.0, `name`.1, ...
template <class Module>
void register_list(torch::nn::Module& parent, const std::string& name,
                   const std::vector<std::shared_ptr<Module>>& modules);

}  // namespace voldiff

#include <torch/nn/modules/container/modulelist.h>

template <class Module>
void voldiff::register_list(torch::nn::Module& parent, const std::string& name,
                            const std::vector<std::shared_ptr<Module>>& modules) {
    torch::nn::ModuleList list;
    for (const auto& module : modules) list->push_back(std::static_pointer_cast<torch::nn::Module>(module));
    parent.register_module(name, list);
}

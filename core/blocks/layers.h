// The layers that hold parameters. A parameter has its shape from the start and its values from a checkpoint
// (core/state_dict). Parameter names are those of torch.nn.
#pragma once

#include "core/blocks/module.h"
#include "core/ops/conv.h"
#include "core/ops/linear.h"
#include "core/ops/planes/plane_layers.h"

namespace voldiff {

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
class Convolution : public TensorModule {
  public:
    explicit Convolution(const ConvolutionOptions& options);
    at::Tensor forward(at::Tensor x) override { return forward(std::move(x), {}); }
    // Together with what comes before and after it, in one pass where that is faster. Not for transposed ones.
    virtual at::Tensor forward(at::Tensor x, const ops::ConvFusion& fusion);
    ops::Planes forward_planes(ops::Planes x, const LevelPlan& plan) override;
    // The same as a volume that is made when it is read; of transposed ones those that `ops::of_transposed` takes.
    ops::Planes forward_planes(ops::Planes x, const ops::PlaneFusion& fusion);
    std::string script() const override;

  private:
    ConvolutionOptions options_;
    at::Tensor weight_;
    at::Tensor bias_;
    ops::PackedWeights packed_;
};

// [..., in] -> [..., out]
class Linear : public TensorModule {
  public:
    Linear(std::int64_t in_features, std::int64_t out_features, bool with_bias = true);
    at::Tensor forward(at::Tensor x) override;
    std::string script() const override;

  private:
    at::Tensor weight_;
    at::Tensor bias_;
    ops::PackedWeights packed_;
};

// [N, C, ...] -> the same shape. Throws Error(config) where the groups do not divide the channels.
class GroupNorm : public TensorModule {
  public:
    GroupNorm(std::int64_t num_groups, std::int64_t num_channels, double eps);
    at::Tensor forward(at::Tensor x) override;
    ops::Planes forward_planes(ops::Planes x, const LevelPlan& plan) override;
    std::string script() const override;
    // silu(forward(x))
    virtual at::Tensor forward_silu(const at::Tensor& x);
    // For a convolution that normalises while it reads.
    virtual ops::GroupNormParameters parameters() const { return {num_groups_, weight_, bias_, eps_}; }

  protected:
    std::int64_t num_groups_;
    double eps_;
    at::Tensor weight_;
    at::Tensor bias_;
};

// Over the last axis. [..., C] -> [..., C]
class LayerNorm : public TensorModule {
  public:
    explicit LayerNorm(std::int64_t width);
    at::Tensor forward(at::Tensor x) override;
    std::string script() const override;

  private:
    at::Tensor weight_;
    at::Tensor bias_;
};

// Integer labels [N] -> [N, width]
class Embedding : public TensorModule {
  public:
    Embedding(std::int64_t num_embeddings, std::int64_t width);
    at::Tensor forward(at::Tensor labels) override;
    std::string script() const override;

  private:
    at::Tensor weight_;
};

// Linear, SiLU, Linear: the embedding networks of the U-Nets, keys `0` and `2`. [N, in] -> [N, width]
class EmbeddingMlp : public TensorModule {
  public:
    EmbeddingMlp(std::int64_t in_features, std::int64_t width);
    at::Tensor forward(at::Tensor x) override;
    std::string script() const override;

  private:
    std::shared_ptr<Linear> first_;
    std::shared_ptr<Linear> second_;
};

}  // namespace voldiff

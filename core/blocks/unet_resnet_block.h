// The residual block of the U-Nets and their resampling layers.
// Source: monai/networks/nets/diffusion_model_unet.py (DiffusionUNetResnetBlock, DiffusionUnetDownsample,
// WrappedUpsample).
#pragma once

#include "core/blocks/layers.h"

namespace voldiff {

enum class Resampling { none, down, up };

struct UnetResnetBlockOptions {
    std::int64_t in_channels = 0;
    std::int64_t out_channels = 0;
    std::int64_t temb_channels = 0;
    std::int64_t norm_num_groups = 32;
    double norm_eps = 1e-6;
    Resampling resampling = Resampling::none;
};

// What changes a resolution or keeps it, given the embedding of time and conditions.
// x [N, C, D, H, W], emb [N, temb_channels] -> [N, C', D', H', W']
class EmbeddedModule : public torch::nn::Module {
  public:
    virtual at::Tensor forward(at::Tensor x, const at::Tensor& emb) = 0;
};

// norm1, SiLU, resampling of both paths, conv1, + time_emb_proj(SiLU(emb)), norm2, SiLU, conv2, + skip_connection(x).
class UnetResnetBlockImpl : public EmbeddedModule {
  public:
    explicit UnetResnetBlockImpl(const UnetResnetBlockOptions& options);
    at::Tensor forward(at::Tensor x, const at::Tensor& emb) override;

  private:
    at::Tensor resample(at::Tensor x) const;

    Resampling resampling_;
    GroupNorm norm1_{nullptr};
    Convolution conv1_{nullptr};
    Linear time_emb_proj_{nullptr};
    GroupNorm norm2_{nullptr};
    Convolution conv2_{nullptr};
    Convolution skip_connection_{nullptr};  // only where the number of channels changes
};
TORCH_MODULE(UnetResnetBlock);

// Convolution with stride 2, padded on both sides. Key `op`.
class UnetDownsampleImpl : public EmbeddedModule {
  public:
    explicit UnetDownsampleImpl(std::int64_t channels);
    at::Tensor forward(at::Tensor x, const at::Tensor& emb) override;

  private:
    Convolution op_{nullptr};
};

// Nearest neighbour doubling, then a convolution. Key `postconv`.
class UnetUpsampleImpl : public EmbeddedModule {
  public:
    explicit UnetUpsampleImpl(std::int64_t channels);
    at::Tensor forward(at::Tensor x, const at::Tensor& emb) override;

  private:
    Convolution postconv_{nullptr};
};

}  // namespace voldiff

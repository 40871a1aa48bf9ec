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
class EmbeddedModule : public Module {
  public:
    virtual at::Tensor forward(at::Tensor x, const at::Tensor& emb) = 0;
};

// norm1, SiLU, resampling of both paths, conv1, + time_emb_proj(SiLU(emb)), norm2, SiLU, conv2, + skip_connection(x).
class UnetResnetBlock : public EmbeddedModule {
  public:
    explicit UnetResnetBlock(const UnetResnetBlockOptions& options);
    at::Tensor forward(at::Tensor x, const at::Tensor& emb) override;
    std::string script() const override;

  private:
    at::Tensor resample(at::Tensor x) const;
    // conv1(resample(SiLU(norm1(x))))
    at::Tensor first_convolution(const at::Tensor& x, const ops::ConvFusion& fusion);

    Resampling resampling_;
    std::shared_ptr<GroupNorm> norm1_;
    std::shared_ptr<Convolution> conv1_;
    std::shared_ptr<Linear> time_emb_proj_;
    std::shared_ptr<GroupNorm> norm2_;
    std::shared_ptr<Convolution> conv2_;
    std::shared_ptr<Convolution> skip_connection_;  // only where the number of channels changes
};

// Convolution with stride 2, padded on both sides. Key `op`.
class UnetDownsample : public EmbeddedModule {
  public:
    explicit UnetDownsample(std::int64_t channels);
    at::Tensor forward(at::Tensor x, const at::Tensor& emb) override;
    std::string script() const override;

  private:
    std::shared_ptr<Convolution> op_;
};

// Nearest neighbour doubling, then a convolution. Key `postconv`.
class UnetUpsample : public EmbeddedModule {
  public:
    explicit UnetUpsample(std::int64_t channels);
    at::Tensor forward(at::Tensor x, const at::Tensor& emb) override;
    std::string script() const override;

  private:
    std::shared_ptr<Convolution> postconv_;
};

}  // namespace voldiff

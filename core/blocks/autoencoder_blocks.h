// The blocks of the autoencoders.
// Sources: monai/networks/nets/autoencoderkl.py (AEKLResBlock, AEKLDownsample, Upsample),
//          monai/apps/generation/maisi/networks/autoencoderkl_maisi.py (MaisiResBlock, MaisiDownsample, MaisiUpsample,
//          MaisiConvolution, MaisiGroupNorm3D).
#pragma once

#include "core/blocks/layers.h"
#include "core/networks/autoencoder_kl_config.h"

#include <memory>

namespace voldiff {

// The convolution of the configured class: MAISI's has one more `conv.` in its keys and, asked for, drops what
// num_splits leaves over. The voxels along dim_split become num_splits * (their number / num_splits).
class AutoencoderConvolution : public Convolution {
  public:
    AutoencoderConvolution(const AutoencoderKlConfig& config, const ConvolutionOptions& options);
    using Convolution::forward;
    at::Tensor forward(at::Tensor x, const ops::ConvFusion& fusion) override;

  private:
    at::Tensor without_remainder(const at::Tensor& y, std::int64_t input_extent) const;

    ConvolutionOptions options_;
    std::int64_t axis_;
    std::int64_t splits_;  // 1: keep everything
};

// The group norm of the configured class. MAISI's takes [N, C, D, H, W] only and rounds to float16 where norm_float16
// acts; `plain`: MONAI core's in either class.
std::shared_ptr<GroupNorm> make_autoencoder_norm(const AutoencoderKlConfig& config, std::int64_t channels,
                                                 bool plain = false);

// norm1, SiLU, conv1, norm2, SiLU, conv2, + nin_shortcut(x) where the number of channels changes.
// [N, in, D, H, W] -> [N, out, D, H, W]. `plain` blocks have core keys in either class (the non-local part).
std::shared_ptr<TensorModule> make_autoencoder_resblock(const AutoencoderKlConfig& config, std::int64_t in_channels,
                                                        std::int64_t out_channels, bool plain = false);

// One zero voxel at the END of every axis, then a convolution with stride 2: [N, C, D, H, W] -> [N, C, D / 2, ...].
std::shared_ptr<TensorModule> make_autoencoder_downsample(const AutoencoderKlConfig& config, std::int64_t channels);

// [N, C, D, H, W] -> [N, C, 2 D, 2 H, 2 W]. MAISI: trilinear and a convolution, or transposed 3x3x3; core: nearest
// and a convolution, or transposed 2x2x2.
std::shared_ptr<TensorModule> make_autoencoder_upsample(const AutoencoderKlConfig& config, std::int64_t channels);

// Self-attention over all voxels, one head.
std::shared_ptr<TensorModule> make_autoencoder_attention(const AutoencoderKlConfig& config, std::int64_t channels,
                                                         const AttentionOptions& options);

}  // namespace voldiff

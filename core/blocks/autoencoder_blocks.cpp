#include "core/blocks/autoencoder_blocks.h"

#include "core/blocks/attention_layer.h"
#include "core/blocks/script.h"
#include "core/error.h"
#include "core/ops/norm.h"
#include "core/ops/planes/store.h"
#include "core/ops/upsample.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/silu.h>

#include <sstream>

namespace voldiff {

namespace {

using VoxelExtents = std::array<std::int64_t, 3>;

VoxelExtents doubled(const VoxelExtents& e) { return {2 * e[0], 2 * e[1], 2 * e[2]}; }

// Where a block of the configured class keeps its convolution.
std::shared_ptr<Convolution> make_convolution(const AutoencoderKlConfig& config, const ConvolutionOptions& options,
                                              bool plain = false) {
    if (plain) return std::make_shared<Convolution>(options);
    return std::make_shared<AutoencoderConvolution>(config, options);
}

class MaisiGroupNorm : public GroupNorm {
  public:
    MaisiGroupNorm(const AutoencoderKlConfig& config, std::int64_t channels)
        : GroupNorm(config.norm_num_groups, channels, config.norm_eps),
          to_float16_(config.norm_float16 && config.hints_act) {}

    at::Tensor forward(at::Tensor x) override {
        check_axes(x);
        if (!to_float16_) return GroupNorm::forward(std::move(x));
        return ops::group_norm_float16(x, num_groups_, weight_, bias_, eps_);
    }

    at::Tensor forward_silu(const at::Tensor& x) override {
        check_axes(x);
        if (!to_float16_) return GroupNorm::forward_silu(x);
        return at::silu(forward(x).to(at::kFloat)).to(at::kHalf);
    }

    ops::GroupNormParameters parameters() const override {
        if (!to_float16_) return GroupNorm::parameters();
        throw Error(ErrorCode::config, "norm_float16 is not computed within convolutions; the norm alone is");
    }

    std::string script() const override {
        if (!to_float16_) return GroupNorm::script();
        throw Error(ErrorCode::config, "norm_float16 is not written as TorchScript");
    }

  private:
    static void check_axes(const at::Tensor& x) {
        if (x.dim() == 5) return;
        std::ostringstream message;
        message << "MAISI's group norm: the input is " << x.sizes() << ", expected [N, C, D, H, W]";
        throw Error(ErrorCode::config, message.str());
    }

    bool to_float16_;
};

class ResBlock : public TensorModule {
  public:
    ResBlock(const AutoencoderKlConfig& config, std::int64_t in, std::int64_t out, bool plain) {
        norm1_ = register_module("norm1", make_autoencoder_norm(config, in, plain));
        conv1_ = register_module("conv1", make_convolution(config, {in, out}, plain));
        norm2_ = register_module("norm2", make_autoencoder_norm(config, out, plain));
        conv2_ = register_module("conv2", make_convolution(config, {out, out}, plain));
        if (in == out) return;
        nin_shortcut_ = register_module("nin_shortcut", make_convolution(config, {in, out, 1, 1, 0}, plain));
    }

    at::Tensor forward(at::Tensor x) override {
        ops::VolumeMoments of_h;
        at::Tensor h = conv1_->forward(x, ops::ConvFusion().norm_silu(norm1_->parameters()).measuring(&of_h));
        if (nin_shortcut_) x = nin_shortcut_->forward(std::move(x));
        return conv2_->forward(std::move(h),
                               ops::ConvFusion().norm_silu(norm2_->parameters(), &of_h).plus(std::move(x)));
    }

    ops::Planes forward_planes(ops::Planes x, const LevelPlan& plan) override {
        const bool from_memory = x->is_stored();
        ops::Planes h = conv1_->forward_planes(x, ops::PlaneFusion().norm_silu(norm1_->parameters()));
        if (nin_shortcut_) x = nin_shortcut_->forward_planes(std::move(x), ops::PlaneFusion());
        if (plan.output && !from_memory) {
            h = ops::stored(std::move(h));  // costs nothing: the output will take its place
        } else if (plan.hidden) {
            ops::store_both(h, x);
        }
        h = conv2_->forward_planes(std::move(h), ops::PlaneFusion().norm_silu(norm2_->parameters()).plus(std::move(x)));
        return plan.output ? ops::stored(std::move(h)) : h;
    }

    std::string script() const override {
        return script::fill(R"(
def forward(self, x: Tensor) -> Tensor:
    h = self.conv1.forward(self.norm1.forward_silu(x))
    h = self.conv2.forward(self.norm2.forward_silu(h))
    return h + $shortcut
)",
                            {{"shortcut", nin_shortcut_ ? "self.nin_shortcut.forward(x)" : "x"}});
    }

  private:
    std::shared_ptr<GroupNorm> norm1_;
    std::shared_ptr<Convolution> conv1_;
    std::shared_ptr<GroupNorm> norm2_;
    std::shared_ptr<Convolution> conv2_;
    std::shared_ptr<Convolution> nin_shortcut_;
};

class Downsample : public TensorModule {
  public:
    Downsample(const AutoencoderKlConfig& config, std::int64_t channels) {
        conv_ = register_module("conv", make_convolution(config, {channels, channels, 3, 2, 0}));
    }
    at::Tensor forward(at::Tensor x) override { return conv_->forward(at::constant_pad_nd(x, {0, 1, 0, 1, 0, 1})); }
    std::string script() const override {
        return "def forward(self, x: Tensor) -> Tensor:\n"
               "    return self.conv.forward(torch.constant_pad_nd(x, [0, 1, 0, 1, 0, 1]))\n";
    }

  private:
    std::shared_ptr<TensorModule> conv_;
};

class InterpolatingUpsample : public TensorModule {
  public:
    InterpolatingUpsample(const AutoencoderKlConfig& config, std::int64_t channels) : trilinear_(config.maisi) {
        conv_ = register_module(config.maisi ? "conv" : "postconv", make_convolution(config, {channels, channels}));
    }
    at::Tensor forward(at::Tensor x) override {
        const auto kind = trilinear_ ? ops::Upsampling::trilinear : ops::Upsampling::nearest;
        return conv_->forward(std::move(x), ops::ConvFusion().upsampled(kind));
    }
    ops::Planes forward_planes(ops::Planes x, const LevelPlan& plan) override {
        const auto kind = trilinear_ ? ops::Upsampling::trilinear : ops::Upsampling::nearest;
        ops::Planes y = conv_->forward_planes(std::move(x), ops::PlaneFusion().upsampled(kind));
        return plan.upsampled ? ops::stored(std::move(y)) : y;
    }
    std::string script() const override {
        return script::fill(R"(
def forward(self, x: Tensor) -> Tensor:
    x = torch.$upsample(x, [2 * x.size(2), 2 * x.size(3), 2 * x.size(4)]$align_corners)
    return self.$conv.forward(x)
)",
                            {{"upsample", trilinear_ ? "upsample_trilinear3d" : "upsample_nearest3d"},
                             {"align_corners", trilinear_ ? ", False" : ""},
                             {"conv", trilinear_ ? "conv" : "postconv"}});
    }

  private:
    bool trilinear_;
    std::shared_ptr<Convolution> conv_;
};

class MaisiTransposedUpsample : public TensorModule {
  public:
    MaisiTransposedUpsample(const AutoencoderKlConfig& config, std::int64_t channels) {
        conv_ = register_module("conv", make_convolution(config, {channels, channels, 3, 2, 1, true, 1}));
    }
    at::Tensor forward(at::Tensor x) override { return conv_->forward(std::move(x), ops::ConvFusion()); }
    ops::Planes forward_planes(ops::Planes x, const LevelPlan& plan) override {
        ops::Planes y = conv_->forward_planes(std::move(x), ops::PlaneFusion());
        return plan.upsampled ? ops::stored(std::move(y)) : y;
    }
    std::string script() const override {
        return "def forward(self, x: Tensor) -> Tensor:\n    return self.conv.forward(x)\n";
    }

  private:
    std::shared_ptr<Convolution> conv_;
};

class CoreTransposedUpsample : public TensorModule {
  public:
    explicit CoreTransposedUpsample(std::int64_t channels) {
        ConvolutionOptions options{channels, channels, 2, 2, 0, true, 0};
        options.key_depth = 0;
        deconv_ = add<Convolution>("deconv", options);
    }
    at::Tensor forward(at::Tensor x) override { return deconv_->forward(std::move(x)); }
    std::string script() const override {
        return "def forward(self, x: Tensor) -> Tensor:\n    return self.deconv.forward(x)\n";
    }

  protected:
    VoxelExtents output_extents(const VoxelExtents& x) const override { return doubled(x); }

  private:
    std::shared_ptr<Convolution> deconv_;
};

ConvolutionOptions with_key_depth(ConvolutionOptions options, int depth) {
    options.key_depth = depth;
    return options;
}

}  // namespace

AutoencoderConvolution::AutoencoderConvolution(const AutoencoderKlConfig& config, const ConvolutionOptions& options)
    : Convolution(with_key_depth(options, config.maisi ? 2 : 1)),
      options_(options),
      axis_(2 + config.dim_split),
      splits_(config.maisi && config.hints_act ? config.num_splits : 1) {}

at::Tensor AutoencoderConvolution::without_remainder(const at::Tensor& y, std::int64_t input_extent) const {
    const std::int64_t slab = input_extent / splits_;
    const std::int64_t overlap = options_.stride == 2 && !options_.is_transposed ? 4 : 3;
    if (slab < overlap || (options_.stride == 2 && !options_.is_transposed && slab % 2 != 0)) {
        throw Error(ErrorCode::config, "num_splits " + std::to_string(splits_) + " cuts an extent of " +
                                           std::to_string(input_extent) + " into slabs of " + std::to_string(slab) +
                                           " voxels, which MAISI's convolution cannot process");
    }
    const std::int64_t kept = options_.is_transposed ? 2 * slab : slab / options_.stride;
    return y.slice(axis_, 0, splits_ * kept).contiguous();
}

at::Tensor AutoencoderConvolution::forward(at::Tensor x, const ops::ConvFusion& fusion) {
    if (splits_ == 1) return Convolution::forward(std::move(x), fusion);
    const std::int64_t extent = x.size(axis_) * (fusion.upsampling == ops::Upsampling::none ? 1 : 2);
    at::Tensor y = without_remainder(Convolution::forward(std::move(x), fusion.plus({}).measuring(nullptr)), extent);
    return fusion.residual.defined() ? y.add_(fusion.residual) : y;
}

std::shared_ptr<GroupNorm> make_autoencoder_norm(const AutoencoderKlConfig& config, std::int64_t channels, bool plain) {
    if (config.maisi && !plain) return std::make_shared<MaisiGroupNorm>(config, channels);
    return std::make_shared<GroupNorm>(config.norm_num_groups, channels, config.norm_eps);
}

std::shared_ptr<TensorModule> make_autoencoder_resblock(const AutoencoderKlConfig& config, std::int64_t in_channels,
                                                        std::int64_t out_channels, bool plain) {
    return std::make_shared<ResBlock>(config, in_channels, out_channels, plain);
}

std::shared_ptr<TensorModule> make_autoencoder_downsample(const AutoencoderKlConfig& config, std::int64_t channels) {
    return std::make_shared<Downsample>(config, channels);
}

std::shared_ptr<TensorModule> make_autoencoder_upsample(const AutoencoderKlConfig& config, std::int64_t channels) {
    if (!config.use_convtranspose) return std::make_shared<InterpolatingUpsample>(config, channels);
    if (config.maisi) return std::make_shared<MaisiTransposedUpsample>(config, channels);
    return std::make_shared<CoreTransposedUpsample>(channels);
}

std::shared_ptr<TensorModule> make_autoencoder_attention(const AutoencoderKlConfig& config, std::int64_t channels,
                                                         const AttentionOptions& options) {
    SpatialAttentionBlockConfig attention;
    attention.num_channels = channels;
    attention.norm_num_groups = config.norm_num_groups;
    attention.norm_eps = config.norm_eps;
    static_cast<AttentionOptions&>(attention) = options;
    return std::make_shared<SpatialAttentionBlock>(attention);
}

}  // namespace voldiff

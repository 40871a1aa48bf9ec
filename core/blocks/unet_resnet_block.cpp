#include "core/blocks/unet_resnet_block.h"

#include "core/ops/upsample.h"

#include <ATen/ATen.h>

namespace voldiff {

UnetResnetBlockImpl::UnetResnetBlockImpl(const UnetResnetBlockOptions& options) : resampling_(options.resampling) {
    const std::int64_t in = options.in_channels;
    const std::int64_t out = options.out_channels;
    norm1_ = register_module("norm1", GroupNorm(options.norm_num_groups, in, options.norm_eps));
    conv1_ = register_module("conv1", Convolution(ConvolutionOptions{in, out}));
    time_emb_proj_ = register_module("time_emb_proj", Linear(options.temb_channels, out));
    norm2_ = register_module("norm2", GroupNorm(options.norm_num_groups, out, options.norm_eps));
    conv2_ = register_module("conv2", Convolution(ConvolutionOptions{out, out}));
    if (in != out) {
        skip_connection_ = register_module("skip_connection", Convolution(ConvolutionOptions{in, out, 1, 1, 0}));
    }
}

at::Tensor UnetResnetBlockImpl::resample(at::Tensor x) const {
    switch (resampling_) {
        case Resampling::up:
            return ops::upsample_nearest_2x(x);
        case Resampling::down:
            return ops::average_pool_2x(x);
        case Resampling::none:
            break;
    }
    return x;
}

at::Tensor UnetResnetBlockImpl::forward(at::Tensor x, const at::Tensor& emb) {
    at::Tensor h = resample(norm1_->forward_silu(x));
    x = resample(std::move(x));
    h = conv1_->forward(std::move(h));
    const at::Tensor shift = time_emb_proj_->forward(at::silu(emb));  // [N, C]
    h.add_(shift.view({shift.size(0), shift.size(1), 1, 1, 1}));
    h = conv2_->forward(norm2_->forward_silu(h));
    return h.add_(skip_connection_ ? skip_connection_->forward(std::move(x)) : x);
}

UnetDownsampleImpl::UnetDownsampleImpl(std::int64_t channels) {
    op_ = register_module("op", Convolution(ConvolutionOptions{channels, channels, 3, 2, 1}));
}

at::Tensor UnetDownsampleImpl::forward(at::Tensor x, const at::Tensor& /*emb*/) { return op_->forward(std::move(x)); }

UnetUpsampleImpl::UnetUpsampleImpl(std::int64_t channels) {
    postconv_ = register_module("postconv", Convolution(ConvolutionOptions{channels, channels}));
}

at::Tensor UnetUpsampleImpl::forward(at::Tensor x, const at::Tensor& /*emb*/) {
    return postconv_->forward(ops::upsample_nearest_2x(x));
}

}  // namespace voldiff

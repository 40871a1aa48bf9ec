#include "core/blocks/unet_resnet_block.h"

#include "core/ops/upsample.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/silu.h>

namespace voldiff {

UnetResnetBlock::UnetResnetBlock(const UnetResnetBlockOptions& options) : resampling_(options.resampling) {
    const std::int64_t in = options.in_channels;
    const std::int64_t out = options.out_channels;
    norm1_ = add<GroupNorm>("norm1", options.norm_num_groups, in, options.norm_eps);
    conv1_ = add<Convolution>("conv1", ConvolutionOptions{in, out});
    time_emb_proj_ = add<Linear>("time_emb_proj", options.temb_channels, out);
    norm2_ = add<GroupNorm>("norm2", options.norm_num_groups, out, options.norm_eps);
    conv2_ = add<Convolution>("conv2", ConvolutionOptions{out, out});
    if (in != out) {
        skip_connection_ = add<Convolution>("skip_connection", ConvolutionOptions{in, out, 1, 1, 0});
    }
}

at::Tensor UnetResnetBlock::resample(at::Tensor x) const {
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

at::Tensor UnetResnetBlock::forward(at::Tensor x, const at::Tensor& emb) {
    at::Tensor h = resample(norm1_->forward_silu(x));
    x = resample(std::move(x));
    h = conv1_->forward(std::move(h));
    const at::Tensor shift = time_emb_proj_->forward(at::silu(emb));  // [N, C]
    h.add_(shift.view({shift.size(0), shift.size(1), 1, 1, 1}));
    h = conv2_->forward(norm2_->forward_silu(h));
    return h.add_(skip_connection_ ? skip_connection_->forward(std::move(x)) : x);
}

UnetDownsample::UnetDownsample(std::int64_t channels) {
    op_ = add<Convolution>("op", ConvolutionOptions{channels, channels, 3, 2, 1});
}

at::Tensor UnetDownsample::forward(at::Tensor x, const at::Tensor& /*emb*/) { return op_->forward(std::move(x)); }

UnetUpsample::UnetUpsample(std::int64_t channels) {
    postconv_ = add<Convolution>("postconv", ConvolutionOptions{channels, channels});
}

at::Tensor UnetUpsample::forward(at::Tensor x, const at::Tensor& /*emb*/) {
    return postconv_->forward(ops::upsample_nearest_2x(x));
}

}  // namespace voldiff

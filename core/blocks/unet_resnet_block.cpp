#include "core/blocks/unet_resnet_block.h"

#include "core/blocks/script.h"
#include "core/ops/upsample.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/silu.h>

#include <map>

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

at::Tensor UnetResnetBlock::first_convolution(const at::Tensor& x, const ops::ConvFusion& fusion) {
    switch (resampling_) {
        case Resampling::up:
            return conv1_->forward(x, fusion.norm_silu(norm1_->parameters()).upsampled(ops::Upsampling::nearest));
        case Resampling::down:
            return conv1_->forward(ops::average_pool_2x(x, norm1_->parameters()), fusion);
        case Resampling::none:
            break;
    }
    return conv1_->forward(x, fusion.norm_silu(norm1_->parameters()));
}

at::Tensor UnetResnetBlock::forward(at::Tensor x, const at::Tensor& emb) {
    const at::Tensor shift = time_emb_proj_->forward(at::silu(emb));  // [N, C]
    ops::VolumeMoments of_h;
    at::Tensor h = first_convolution(x, ops::ConvFusion().plus_shift(shift).measuring(&of_h));
    x = resample(std::move(x));
    if (skip_connection_) x = skip_connection_->forward(std::move(x));
    return conv2_->forward(std::move(h), ops::ConvFusion().norm_silu(norm2_->parameters(), &of_h).plus(std::move(x)));
}

UnetDownsample::UnetDownsample(std::int64_t channels) {
    op_ = add<Convolution>("op", ConvolutionOptions{channels, channels, 3, 2, 1});
}

at::Tensor UnetDownsample::forward(at::Tensor x, const at::Tensor& /*emb*/) { return op_->forward(std::move(x)); }

UnetUpsample::UnetUpsample(std::int64_t channels) {
    postconv_ = add<Convolution>("postconv", ConvolutionOptions{channels, channels});
}

at::Tensor UnetUpsample::forward(at::Tensor x, const at::Tensor& /*emb*/) {
    return postconv_->forward(std::move(x), ops::ConvFusion().upsampled(ops::Upsampling::nearest));
}

std::string UnetResnetBlock::script() const {
    static const std::map<Resampling, std::string> resample = {
        {Resampling::none, "    return x"},
        {Resampling::up, "    return torch.upsample_nearest3d(x, [2 * x.size(2), 2 * x.size(3), 2 * x.size(4)])"},
        {Resampling::down, "    return torch.avg_pool3d(x, [2, 2, 2], [2, 2, 2])"},
    };
    return script::fill(
        R"(
def resample(self, x: Tensor) -> Tensor:
$resample

def forward(self, x: Tensor, emb: Tensor) -> Tensor:
    h = self.conv1.forward(self.resample(self.norm1.forward_silu(x)))
    x = self.resample(x)
    shift = self.time_emb_proj.forward(torch.silu(emb))
    h = h + shift.reshape([shift.size(0), shift.size(1), 1, 1, 1])
    h = self.conv2.forward(self.norm2.forward_silu(h))
    return h + $skip
)",
        {{"resample", resample.at(resampling_)}, {"skip", skip_connection_ ? "self.skip_connection.forward(x)" : "x"}});
}

std::string UnetDownsample::script() const {
    return "def forward(self, x: Tensor, emb: Tensor) -> Tensor:\n    return self.op.forward(x)\n";
}

std::string UnetUpsample::script() const {
    return R"(
def forward(self, x: Tensor, emb: Tensor) -> Tensor:
    x = torch.upsample_nearest3d(x, [2 * x.size(2), 2 * x.size(3), 2 * x.size(4)])
    return self.postconv.forward(x)
)";
}

}  // namespace voldiff
